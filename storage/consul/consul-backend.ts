// Consul as a backend that several servers share. Knows how things are stored, not what a write means.
import type { ConsulAgent } from '../../clients/consul/agent.ts'
import { type ConsulKv, type KvOperation, maxKvOperations } from '../../clients/consul/kv.ts'
import type { Env } from '../../runtime/env.ts'
import type { ClaimTable } from '../claims.ts'
import { hasHead } from '../imported-versions.ts'
import type {
  Commit,
  CommitOutcome,
  HeadFollower,
  PresenceFollower,
  SharedBackend,
  StoredHead,
} from '../shared/shared-backend.ts'
import type { HistoryQuery, Version, VersionSummary } from '../store.ts'
import type { KeyRecord } from '../write-rules.ts'
import { commitSteps, dropLeftOverSteps, dropSteps, recordOf, versionSteps } from './commit-steps.ts'
import { ConsulClaims } from './consul-claims.ts'
import { storeError } from './consul-failure.ts'
import { followHeads } from './head-follow.ts'
import { IdempotencyKeys } from './idempotency-keys.ts'
import type { Layout } from './layout.ts'
import { followPresence } from './presence-follow.ts'
import { indexesIn, indexesOf, sightingOf } from './sighting.ts'
import { SightingReader } from './sighting-reader.ts'
import { VersionRecords } from './version-records.ts'

/** A transaction has at most 512 KiB, and the text is in it twice, in base64. */
export const maxConsulDtabBytes = 180 * 1024

export interface ConsulBackendParts {
  readonly kind: string
  readonly agent: ConsulAgent
  readonly kv: ConsulKv
  readonly layout: Layout
  /** Of every followed query. */
  readonly parameters: Readonly<Record<string, string>>
  readonly env: Env
  /** After everything else was closed. */
  readonly onClosed: () => void
}

/** Asks nothing before it is asked; closes agent and kv in the end. */
export function createConsulBackend(parts: ConsulBackendParts): SharedBackend {
  return new ConsulBackend(parts)
}

class ConsulBackend implements SharedBackend {
  readonly kind: string
  readonly maxDtabBytes = maxConsulDtabBytes
  readonly claims: ClaimTable
  readonly #parts: ConsulBackendParts
  readonly #reader: SightingReader
  readonly #records: VersionRecords
  readonly #keys: IdempotencyKeys

  constructor(parts: ConsulBackendParts) {
    const { kind, kv, layout } = parts
    this.kind = kind
    this.#parts = parts
    this.#reader = new SightingReader(kv, layout)
    this.#records = new VersionRecords(kv, layout)
    this.#keys = new IdempotencyKeys(kv, layout)
    const claims = new ConsulClaims(kv, layout)
    this.claims = {
      claim: claim => this.#ask(() => claims.claim(claim)),
      unclaim: (claimKind, name, owner) => this.#ask(() => claims.unclaim(claimKind, name, owner)),
    }
  }

  readHead(namespace: string): Promise<StoredHead> {
    return this.#ask(() => this.#reader.head(namespace))
  }

  readVersion(namespace: string, version: number): Promise<Version | undefined> {
    return this.#ask(() => this.#records.version(namespace, version))
  }

  readHistory(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]> {
    return this.#ask(() => this.#records.history(namespace, query))
  }

  readKey(namespace: string, key: string): Promise<KeyRecord | undefined> {
    return this.#ask(() => this.#keys.read(namespace, key))
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    return this.#ask(() => this.#commit(commit))
  }

  async #commit(commit: Commit): Promise<CommitOutcome> {
    const { kv, layout } = this.#parts
    const { namespace } = commit.version
    const over = indexesIn(commit.over.token)
    if (over === undefined) return { kind: 'moved' }
    const isFirst = commit.over.record === undefined && over.head === 0 && commit.endsImport !== true
    const isAlone = isFirst && (await this.#records.neverWas(namespace))
    const { head, others } = commitSteps(layout, commit, over, isAlone)
    const outcome = await kv.transact([...head, ...others])
    if (outcome.kind === 'refused')
      return { kind: [...outcome.operations].some(place => place < head.length) ? 'moved' : 'taken' }
    const entryOf = (key: string) => outcome.entries.find(entry => entry.key === key)
    const indexes = indexesOf(entryOf(layout.text(namespace)), entryOf(layout.head(namespace)))
    // A tombstone has no text, though Consul may answer its check with an entry.
    const text = commit.version.text === undefined ? 0 : indexes.text
    return {
      kind: 'written',
      sighting: sightingOf(namespace, { ...indexes, text }, recordOf(commit.version), indexes.head),
    }
  }

  putVersion(version: Version): Promise<void> {
    const { kv, layout } = this.#parts
    return this.#ask(async () => {
      if ((await kv.transact(versionSteps(layout, version))).kind === 'done') return
      throw hasHead(version.namespace)
    })
  }

  /** Once there is a head there are none: its commit has dropped them or made them count. */
  dropLeftOvers(namespace: string): Promise<void> {
    const { kv, layout } = this.#parts
    return this.#ask(async () => {
      if (await this.#records.neverWas(namespace)) await kv.transact(dropLeftOverSteps(layout, namespace))
    })
  }

  dropVersions(namespace: string, versions: readonly number[]): Promise<void> {
    return this.#ask(() => this.#write(dropSteps(this.#parts.layout, namespace, versions)))
  }

  dropKeys(before: number): Promise<void> {
    return this.#ask(() => this.#keys.drop(before))
  }

  followHeads(follower: HeadFollower): () => void {
    const { agent, layout, parameters, env } = this.#parts
    const ending = new AbortController()
    const errorOf = this.#errorOf
    const { clock, random } = env
    followHeads({ agent, reader: this.#reader, layout, parameters, clock, random, follower, errorOf }, ending.signal)
    return () => ending.abort()
  }

  followPresence(follower: PresenceFollower): () => void {
    const { agent, layout, parameters } = this.#parts
    return followPresence({ agent, layout, parameters, follower, errorOf: this.#errorOf })
  }

  async close(): Promise<void> {
    const { agent, kv, onClosed } = this.#parts
    agent.close()
    kv.close()
    onClosed()
  }

  /** In steps of as many as Consul takes; none of them compares. */
  async #write(operations: readonly KvOperation[]): Promise<void> {
    for (let from = 0; from < operations.length; from += maxKvOperations)
      await this.#parts.kv.transact(operations.slice(from, from + maxKvOperations))
  }

  readonly #errorOf = (error: unknown): Error => storeError(error, this.#parts.layout)

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      throw this.#errorOf(error)
    }
  }
}
