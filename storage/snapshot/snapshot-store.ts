// A store around another one that saves what that says on the local disk, and serves it, marked stale, while the other has
// not answered. Reads of a single version, writes, leases and presence are the other's own: they need the truth.
import type { Env } from '../../runtime/env.ts'
import { type Cell, type Pool, relayGroup, type Sink } from '../../watch/cell.ts'
import { pause } from '../../watch/pause.ts'
import { sameVersion } from '../same-heads.ts'
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
import { DirectoryLock } from './directory-lock.ts'
import { Outage, type ServedSnapshot } from './outage.ts'
import { SnapshotDirectory } from './snapshot-directory.ts'
import type { SavedHead, SavedListing } from './snapshot-file.ts'
import { SnapshotUpkeep } from './snapshot-upkeep.ts'
import { SnapshotWriter } from './snapshot-writer.ts'
import { openWarmCell, type Saved } from './warm-cell.ts'

export interface SnapshotOptions {
  readonly env: Env
  /** Where the files are; made when it is not there. */
  readonly path: string
  /** Which store this is, so that the files of another one are not taken for its own. */
  readonly origin: string
}

const lockFile = 'owner.json'
/** A stop waits so long for a disk that does not answer, in milliseconds. */
const mostCloseMs = 3_000

interface Indexed {
  readonly namespaces: unknown
  readonly summaries: ReadonlyMap<string, NamespaceSummary>
}

/** Enough to tell two versions apart, also of a store that was restored from a copy. */
interface Said {
  readonly version: number
  readonly time: number
}

/** As no version is. */
const gone: Said = { version: 0, time: 0 }

export class SnapshotStore implements Store {
  readonly kind: string
  readonly maxDtabBytes: number
  readonly #store: Store
  readonly #env: Env
  readonly #directory: SnapshotDirectory
  readonly #outage: Outage
  readonly #writer: SnapshotWriter
  readonly #upkeep: SnapshotUpkeep
  readonly #heads: Pool<string, Version | undefined>
  readonly #list: Cell<readonly NamespaceSummary[]>
  readonly #followed = new Set<string>()
  /** The newest that is known, from the disk at first. */
  #listing: SavedListing | undefined
  #indexed: Indexed | undefined
  /** What the store said last to us of each namespace that has had a text, without that. */
  readonly #said = new Map<string, Said>()

  constructor(store: Store, { env, path, origin }: SnapshotOptions) {
    const { kernel, clock, log } = env
    this.kind = store.kind
    this.maxDtabBytes = store.maxDtabBytes
    this.#store = store
    this.#env = env
    this.#outage = new Outage({ store: store.kind, clock, log })
    env.metrics.gauge({
      name: 'nameplane_storage_snapshot_served',
      help: '1 while anything is served from the local snapshot, because the store has not answered.',
      collect: () => Number(this.#outage.served !== undefined),
    })
    const directory = new SnapshotDirectory({ path, origin, log })
    const lock = new DirectoryLock(`${path}/${lockFile}`, clock)
    const writer = new SnapshotWriter({ directory, clock, log, mayWrite: () => lock.isOurs })
    this.#directory = directory
    this.#writer = writer
    this.#upkeep = new SnapshotUpkeep({
      directory,
      lock,
      writer,
      clock,
      log,
      listing: () => this.#vouchedListing(),
      isFollowed: namespace => this.#followed.has(namespace),
      readHead: namespace => store.head(namespace),
      onOurs: () => this.#recordAll(),
    })
    this.#heads = kernel.pool(
      namespace => this.#headCell(namespace),
      namespace => namespace,
    )
    // None of these lingers: the store's own do.
    this.#list = kernel.source(`${store.kind} namespaces, or their snapshot`, sink => this.#openList(sink), {
      group: relayGroup,
    })
  }

  /** To be called once, before anything else. Never rejects: a directory that cannot be used is logged. */
  async begin(): Promise<void> {
    await this.#upkeep.begin()
    this.#listing = await this.#directory.readListing()
  }

  /** What the local snapshot is served for just now; undefined while nothing is. */
  get served(): ServedSnapshot | undefined {
    return this.#outage.served
  }

  observe(namespace: string): Cell<Version | undefined> {
    return this.#heads.at(namespace)
  }

  list(): Cell<readonly NamespaceSummary[]> {
    return this.#list
  }

  head(namespace: string): Promise<Version | undefined> {
    return this.#store.head(namespace)
  }

  version(namespace: string, version: number): Promise<Version | undefined> {
    return this.#store.version(namespace, version)
  }

  history(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]> {
    return this.#store.history(namespace, query)
  }

  write(request: WriteRequest): Promise<WriteResult> {
    return this.#store.write(request)
  }

  recall(namespace: string, idempotency: Idempotency): Promise<WriteResult | undefined> {
    return this.#store.recall(namespace, idempotency)
  }

  refusals(): Cell<readonly RefusedText[]> {
    return this.#store.refusals()
  }

  noticed(namespace: string, version: number): void {
    this.#store.noticed(namespace, version)
  }

  forget(namespace: string, versions: readonly number[]): Promise<void> {
    return this.#store.forget(namespace, versions)
  }

  importHistory(namespace: string, versions: AsyncIterable<Version> | Iterable<Version>): Promise<Version> {
    return this.#store.importHistory(namespace, versions)
  }

  lease(name: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#store.lease(name, ttlMs)
  }

  announce(id: string, data: string, ttlMs: number): Promise<Presence> {
    return this.#store.announce(id, data, ttlMs)
  }

  presence(): Cell<readonly PresenceRecord[]> {
    return this.#store.presence()
  }

  /** What is not written yet is written first. */
  async close(): Promise<void> {
    const bound = new AbortController()
    const saved = this.#writer.flush().then(() => this.#upkeep.close())
    await Promise.race([saved, pause(this.#env.clock, mostCloseMs, bound.signal)])
    bound.abort()
    await this.#store.close()
  }

  #headCell(namespace: string): Cell<Version | undefined> {
    const { kernel } = this.#env
    const name = `${this.kind} dtab ${namespace}, or its snapshot`
    const open = (sink: Sink<Version | undefined>): (() => void) => {
      this.#followed.add(namespace)
      const close = openWarmCell({
        clock: this.#env.clock,
        outage: this.#outage,
        cell: this.#store.observe(namespace),
        sink,
        load: () => this.#loadHead(namespace),
        record: head => this.#recordHead(namespace, head),
      })
      return () => {
        close()
        this.#followed.delete(namespace)
      }
    }
    return kernel.source(name, open, { group: relayGroup, equals: sameVersion })
  }

  #openList(sink: Sink<readonly NamespaceSummary[]>): () => void {
    return openWarmCell({
      clock: this.#env.clock,
      outage: this.#outage,
      cell: this.#store.list(),
      sink,
      load: async () => this.#listing && { value: this.#listing.namespaces, savedAt: this.#listing.savedAt },
      record: namespaces => this.#recordListing(namespaces),
    })
  }

  /** Never older than what the store has said to us. Of the listing's time when that names the same version still. */
  async #loadHead(namespace: string): Promise<Saved<Version | undefined> | undefined> {
    const unwritten = this.#writer.pending(namespace)
    if (unwritten !== undefined) return unwritten.head && { value: unwritten.head, savedAt: unwritten.savedAt }
    const saved = await this.#directory.readHead(namespace)
    if (saved === undefined || this.#isOvertaken(saved)) return undefined
    const { head, savedAt } = saved
    const listing = this.#listing
    const isListed = listing !== undefined && isOf(this.#summary(listing, namespace), head)
    return { value: head, savedAt: isListed ? Math.max(savedAt, listing.savedAt) : savedAt }
  }

  /**
   * Whether we were told another head since, or that there is none. A newer one that we only heard of, in the listing, is
   * no reason: its text is not known, and what is known is better than nothing.
   */
  #isOvertaken({ head, savedAt }: SavedHead): boolean {
    const said = this.#said.get(head.namespace)
    if (said !== undefined) return said.version !== head.version || said.time !== head.meta.time
    const listing = this.#listing
    return listing !== undefined && listing.savedAt >= savedAt && !exists(this.#summary(listing, head.namespace))
  }

  /** Indexed once while a listing stays, for in an outage every head asks. */
  #summary({ namespaces }: SavedListing, namespace: string): NamespaceSummary | undefined {
    if (this.#indexed?.namespaces !== namespaces)
      this.#indexed = { namespaces, summaries: new Map(namespaces.map(each => [each.namespace, each])) }
    return this.#indexed.summaries.get(namespace)
  }

  /** A namespace that is gone leaves nothing behind: a start without the store must not take it for a truth. */
  #recordHead(namespace: string, head: Version | undefined): void {
    if (head?.text === undefined) {
      if (this.#said.has(namespace)) this.#said.set(namespace, gone)
      this.#writer.removeHead(namespace)
    } else {
      this.#said.set(namespace, { version: head.version, time: head.meta.time })
      this.#writer.putHead(head)
    }
  }

  #recordListing(namespaces: readonly NamespaceSummary[]): void {
    this.#listing = { namespaces, savedAt: this.#env.clock.now() }
    this.#writer.putListing(namespaces)
  }

  #recordAll(): void {
    const namespaces = this.#vouchedListing()
    if (namespaces !== undefined) this.#writer.putListing(namespaces)
    for (const namespace of this.#followed) {
      const state = this.#store.observe(namespace).peek()
      if (state.kind === 'ok' && state.stale === undefined) this.#recordHead(namespace, state.value)
    }
  }

  #vouchedListing(): readonly NamespaceSummary[] | undefined {
    const state = this.#store.list().peek()
    if (state.kind !== 'ok' || state.stale !== undefined) return undefined
    this.#listing = { namespaces: state.value, savedAt: this.#env.clock.now() }
    return state.value
  }
}

function isOf(summary: NamespaceSummary | undefined, head: Version): boolean {
  return summary?.version === head.version && summary.time === head.meta.time
}

function exists(summary: NamespaceSummary | undefined): boolean {
  return summary !== undefined && !summary.deleted
}
