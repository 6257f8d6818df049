// The suite that every backend passes on which a SharedStore stands. Cases as data; knows no backend. Two connections to one
// place stand for two servers, and `outside` for people with other tools.
import { afterAll, beforeAll, describe, it } from 'vitest'
import type { HeadFollower, HeadSighting, SharedBackend } from '../../storage/shared/shared-backend.ts'
import type { Version, VersionMeta } from '../../storage/store.ts'
import { claimTableCases } from './shared-backend-claims.contract.ts'
import { commitCases } from './shared-backend-commits.contract.ts'
import { followCases } from './shared-backend-follows.contract.ts'
import { pastCases } from './shared-backend-past.contract.ts'
import type { StoreContractOptions } from './store.contract.ts'

export interface SharedBackendFixture {
  readonly backend: SharedBackend
  /** Another server's connection to the same place. */
  readonly other: SharedBackend
  /** What people do with the backend's own tools. */
  readonly outside: {
    put(namespace: string, content: Uint8Array): Promise<void>
    /** Deletes the text where people see it. What we wrote of it may stay or go with it, as the backend has it. */
    remove(namespace: string): Promise<void>
  }
  until(what: string, holds: () => boolean): Promise<void>
  close(): Promise<void>
}

export interface SharedBackendCase {
  readonly title: string
  /** Needs a place of its own; the others share one and keep to names that begin with `ns`. */
  readonly fresh?: boolean
  run(fixture: SharedBackendFixture, ns: string): Promise<void>
}

export const sharedBackendCases: readonly SharedBackendCase[] = [
  ...commitCases,
  ...pastCases,
  ...followCases,
  ...claimTableCases,
]

/** Runs every case; `open` makes an empty place each time. */
export function sharedBackendContract(
  name: string,
  open: () => Promise<SharedBackendFixture>,
  { concurrent = false, timeoutMs }: StoreContractOptions = {},
): void {
  describe(`the ${name} backend`, { concurrent, ...(timeoutMs !== undefined && { timeout: timeoutMs }) }, () => {
    let shared: SharedBackendFixture
    beforeAll(async () => {
      shared = await open()
    }, timeoutMs)
    afterAll(() => shared.close(), timeoutMs)
    for (const [index, { title, fresh, run }] of sharedBackendCases.entries()) {
      it(title, async () => {
        if (fresh !== true) return run(shared, `case-${index}`)
        const own = await open()
        try {
          await run(own, 'own')
        } finally {
          await own.close()
        }
      })
    }
  })
}

const encoder = new TextEncoder()

export const bytesOf = (text: string): Uint8Array => encoder.encode(text)

export const textOf = (content: Uint8Array | undefined): string | undefined =>
  content === undefined ? undefined : Buffer.from(content).toString('utf8')

/** A version as the store above makes them. */
export function versionOf(
  namespace: string,
  version: number,
  text: string | undefined,
  meta: Partial<VersionMeta> = {},
): Version {
  const time = 1_700_000_000_000 + version
  const base = { author: 'ann', verified: false, message: `m${version}`, time, parent: version - 1 }
  return { namespace, version, ...(text !== undefined && { text }), meta: { ...base, ...meta } }
}

/** Commits over what stands; fails unless it was written. */
export async function commitOver(
  backend: SharedBackend,
  version: Version,
  over?: HeadSighting,
  fingerprint?: string,
): Promise<HeadSighting> {
  const stands = over ?? (await backend.readHead(version.namespace))
  const outcome = await backend.commit({ over: stands, version, ...(fingerprint !== undefined && { fingerprint }) })
  if (outcome.kind !== 'written') throw new Error(`version ${version.version} was not written: ${outcome.kind}`)
  return outcome.sighting
}

/** Follows the heads of a backend and keeps what it hears. */
export function recordHeads(backend: SharedBackend): {
  /** The newest of each namespace, by the rule that the greater order counts. */
  readonly newest: Map<string, HeadSighting>
  readonly resets: number[]
  readonly heard: HeadSighting[]
  stop(): void
} {
  const newest = new Map<string, HeadSighting>()
  const heard: HeadSighting[] = []
  const resets: number[] = []
  const take = (head: HeadSighting): void => {
    heard.push(head)
    const known = newest.get(head.namespace)
    if (known === undefined || known.order <= head.order) newest.set(head.namespace, head)
  }
  const follower: HeadFollower = {
    reset: (heads, order) => {
      resets.push(order)
      const present = new Set(heads.map(({ namespace }) => namespace))
      for (const [namespace, known] of newest)
        if (!present.has(namespace) && known.order <= order) newest.delete(namespace)
      heads.forEach(take)
    },
    changed: heads => heads.forEach(take),
    contact: () => {},
    failed: () => {},
  }
  return { newest, resets, heard, stop: backend.followHeads(follower) }
}
