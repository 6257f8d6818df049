// The store over a backend that several servers share: the same for etcd, Consul and Kubernetes. Every server on one backend
// may write, and each sees what the others and people with other tools have done. Puts the parts together; knows no protocol.
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import type { Cell } from '../../watch/cell.ts'
import { Claims } from '../claims.ts'
import { LinePerKey } from '../line-per-key.ts'
import { RepeatedFailures } from '../repeated-failures.ts'
import type {
  HistoryQuery,
  Idempotency,
  Lease,
  NamespaceSummary,
  Presence,
  PresenceRecord,
  RefusedText,
  Store,
  Version,
  VersionSummary,
  WriteRequest,
  WriteResult,
} from '../store.ts'
import { createWriteMetrics, type MeasureWrite } from '../write-metrics.ts'
import { HeadCells } from './head-cells.ts'
import { importHistory } from './history-import.ts'
import { KeyDropping } from './key-dropping.ts'
import { adopting, OutsideAdoption } from './outside-adoption.ts'
import { createPresenceCell } from './presence-cell.ts'
import { RefusedTexts } from './refused-texts.ts'
import { type SettledHead, SettledHeads } from './settled-heads.ts'
import type { HeadSighting, SharedBackend } from './shared-backend.ts'
import { SharedHeads } from './shared-heads.ts'
import { SharedWrites } from './shared-writes.ts'
import { SpacedChecks } from './spaced-checks.ts'

/** How long a cell stays open after its last watcher, so that a quick return opens nothing anew. */
const lingerMs = 10_000

/** Takes the backend over: closing the store closes it. Asks nothing of it before it is asked itself. */
export function createSharedStore(backend: SharedBackend, env: Env): Store {
  return new SharedStore(backend, env)
}

class SharedStore implements Store {
  readonly kind: string
  readonly maxDtabBytes: number
  readonly #backend: SharedBackend
  readonly #heads: SharedHeads
  readonly #cells: HeadCells
  readonly #refused: RefusedTexts
  readonly #settled: SettledHeads
  readonly #adoption: OutsideAdoption
  readonly #writes: SharedWrites
  readonly #line = new LinePerKey()
  readonly #noticed: SpacedChecks
  readonly #presence: Cell<readonly PresenceRecord[]>
  readonly #claims: Claims
  readonly #keys: KeyDropping
  readonly #failures: RepeatedFailures
  readonly #measureWrite: MeasureWrite
  #closing: Promise<void> | undefined

  constructor(backend: SharedBackend, env: Env) {
    this.kind = backend.kind
    this.maxDtabBytes = backend.maxDtabBytes
    this.#backend = backend
    const { kind } = backend
    const { kernel, clock, log, metrics } = env
    this.#failures = new RepeatedFailures(log.child({ store: kind }), clock)
    this.#measureWrite = createWriteMetrics(metrics, clock)
    const hold = (): (() => void) => this.#heads.hold()
    const show = (sighting: HeadSighting, head: Version | undefined, epoch: number): void =>
      this.#show(sighting, head, epoch)
    this.#heads = new SharedHeads({ backend, env, lingerMs, listener: this.#listener() })
    const isCurrent = (): boolean => this.#heads.isCurrent
    this.#refused = new RefusedTexts({ kind, env, lingerMs, hold, isCurrent })
    this.#settled = new SettledHeads({ backend, env, heads: this.#heads, refused: this.#refused, show })
    const read = async (namespace: string): Promise<void> => void (await this.#settled.look(namespace))
    const isOthersWork = (sighting: HeadSighting): boolean =>
      this.#settled.unsettled(sighting, this.#heads.record(sighting.namespace)) === 'vanished'
    this.#cells = new HeadCells({ kind, env, lingerMs, heads: this.#heads, isOthersWork, read })
    this.#adoption = new OutsideAdoption({
      env,
      heads: this.#heads,
      settled: this.#settled,
      refused: this.#refused,
      settle: namespace => this.#settle(namespace),
      failures: this.#failures,
      failed: (namespace, error, retryAt) => this.#cells.unread(namespace, error, retryAt),
    })
    this.#writes = new SharedWrites({ backend, env, settled: this.#settled, line: this.#line })
    this.#noticed = new SpacedChecks({ clock, check: namespace => this.#adoption.reread(namespace) })
    this.#presence = createPresenceCell({ backend, kernel, lingerMs })
    this.#claims = new Claims({
      kernel,
      clock,
      table: backend.claims,
      onError: (error, what) => this.#failures.failed(what, error),
    })
    this.#keys = new KeyDropping({ backend, env, failures: this.#failures })
  }

  async head(namespace: string): Promise<Version | undefined> {
    this.#assertOpen()
    const { head, unsettled } = await this.#settled.look(namespace)
    if (unsettled === 'no') return head
    try {
      return (await this.#settle(namespace)).head
    } catch (error) {
      if (unsettled === 'vanished') throw error
      // The store can be read and not be written: what we wrote last is the head until then.
      this.#failures.failed(adopting(namespace), error)
      return head
    }
  }

  async version(namespace: string, version: number): Promise<Version | undefined> {
    this.#assertOpen()
    return this.#backend.readVersion(namespace, version)
  }

  async history(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]> {
    this.#assertOpen()
    return this.#backend.readHistory(namespace, query)
  }

  write(request: WriteRequest): Promise<WriteResult> {
    return this.#measureWrite(async () => {
      this.#assertOpen()
      return this.#writes.write(request)
    })
  }

  async recall(namespace: string, idempotency: Idempotency): Promise<WriteResult | undefined> {
    this.#assertOpen()
    return this.#writes.recall(namespace, idempotency)
  }

  observe(namespace: string): Cell<Version | undefined> {
    return this.#cells.at(namespace)
  }

  list(): Cell<readonly NamespaceSummary[]> {
    return this.#heads.list
  }

  refusals(): Cell<readonly RefusedText[]> {
    return this.#refused.cell
  }

  noticed(namespace: string, version: number): void {
    if (!this.#heads.isFollowed || this.#closing !== undefined) return
    if ((this.#heads.record(namespace)?.version ?? 0) < version) this.#noticed.ask(namespace, version)
  }

  async forget(namespace: string, versions: readonly number[]): Promise<void> {
    this.#assertOpen()
    return this.#line.run(namespace, async () => {
      const { head } = await this.#settled.look(namespace)
      // A number above it may be about to become the head.
      const old = versions.filter(version => version < (head?.version ?? 0))
      if (old.length > 0) await this.#backend.dropVersions(namespace, old)
    })
  }

  async importHistory(namespace: string, versions: AsyncIterable<Version> | Iterable<Version>): Promise<Version> {
    this.#assertOpen()
    const onLeftOver = (error: unknown): void => this.#failures.failed(`taking back an import of '${namespace}'`, error)
    const lease: Store['lease'] = (name, ttlMs) => this.#claims.lease(name, ttlMs)
    const options = { backend: this.#backend, settled: this.#settled, lease, onLeftOver }
    return this.#line.run(namespace, () => importHistory(namespace, versions, options))
  }

  async lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    this.#assertOpen()
    return this.#claims.lease(name, ttlMs)
  }

  async announce(id: string, data: string, ttlMs: number): Promise<Presence> {
    this.#assertOpen()
    return this.#claims.announce(id, data, ttlMs)
  }

  presence(): Cell<readonly PresenceRecord[]> {
    return this.#presence
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#keys.stop()
    this.#noticed.stop()
    this.#adoption.stop()
    this.#cells.stop()
    await this.#line.idle()
    await this.#claims.close()
    this.#heads.close()
    await this.#backend.close()
  }

  async #settle(namespace: string): Promise<SettledHead> {
    const settled = await this.#line.run(namespace, () => this.#settled.settle(namespace))
    if (settled.lost !== undefined) throw settled.lost
    this.#failures.worked(adopting(namespace))
    return settled
  }

  #show(sighting: HeadSighting, head: Version | undefined, epoch: number): void {
    this.#cells.show(sighting, head, epoch)
    this.#heads.see(sighting, epoch)
  }

  #listener() {
    return {
      changed: (namespaces: Iterable<string>) => {
        this.#cells.changed(namespaces)
        this.#adoption.changed(namespaces)
      },
      rewound: () => {
        this.#cells.rewound()
        this.#settled.rewound()
        this.#refused.rewound()
      },
      reset: () => {
        this.#cells.reset()
        this.#adoption.reset()
        this.#refused.heard()
      },
      contact: () => {
        this.#cells.contact()
        this.#refused.contact()
      },
      failed: (error: Error, retryAt: number) => {
        this.#cells.failed(error, retryAt)
        this.#refused.failed(error, retryAt)
      },
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new NamingError('store-unavailable', 'The store is closed.')
  }
}
