// The cells of a store that can read its state at once (memory, sqlite): heads, the listing, presence.
// Knows neither how it is stored nor what changes it: the store says what may have changed.
import type { Cell, Kernel, Pool, Sink } from '../watch/cell.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import { sameSummaries, sameVersion } from './same-heads.ts'
import { sameRecords } from './same-records.ts'
import { type NamespaceSummary, type PresenceRecord, type RefusedText, storageGroup, type Version } from './store.ts'
import { dtabBytes } from './write-rules.ts'

/** How long a cell stays open after its last watcher, so that a quick return opens nothing anew. */
const lingerMs = 10_000

/** Reads that do not wait; a throw makes the cell stale or failed. */
export interface LocalReads {
  head(namespace: string): Version | undefined
  /** Every namespace, sorted by name. */
  summaries(): readonly NamespaceSummary[]
  /** Records that have not run out, sorted by id. */
  presence(): readonly PresenceRecord[]
  /** Sorted by namespace. */
  refusals(): readonly RefusedText[]
}

export interface LocalCellsOptions {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly kind: string
  readonly reads: LocalReads
  /** Told when the first cell opens and when the last one closes. */
  readonly onObserved?: (isObserved: boolean) => void
}

/** The summary of a head. */
export function summaryOf(head: Version): NamespaceSummary {
  const { author, verified, message, time, address } = head.meta
  const { namespace, version, text } = head
  const bytes = dtabBytes(text)
  const summary = { namespace, version, deleted: text === undefined, author, verified, message, time, bytes }
  return address === undefined ? summary : { ...summary, address }
}

function sameRefusals(a: readonly RefusedText[], b: readonly RefusedText[]): boolean {
  const same = (x: RefusedText, y: RefusedText | undefined): boolean =>
    x.namespace === y?.namespace && x.since === y.since && x.reason === y.reason && x.bytes === y.bytes
  return a.length === b.length && a.every((x, i) => same(x, b[i]))
}

/** Opens with the first watcher of each cell; `changed...` re-reads only what is watched. */
export class LocalCells {
  readonly list: Cell<readonly NamespaceSummary[]>
  readonly presence: Cell<readonly PresenceRecord[]>
  readonly refusals: Cell<readonly RefusedText[]>
  readonly #options: LocalCellsOptions
  readonly #heads: Pool<string, Version | undefined>
  readonly #headSinks = new Map<string, Sink<Version | undefined>>()
  #listSink: Sink<readonly NamespaceSummary[]> | undefined
  #presenceSink: Sink<readonly PresenceRecord[]> | undefined
  #refusalsSink: Sink<readonly RefusedText[]> | undefined
  #expiry: Cancel | undefined
  #open = 0
  #hasFailedRead = false

  constructor(options: LocalCellsOptions) {
    this.#options = options
    const { kernel, kind } = options
    this.#heads = kernel.pool(
      namespace => this.#headCell(namespace),
      namespace => namespace,
    )
    this.list = kernel.source(`${kind} namespaces`, sink => this.#openList(sink), {
      lingerMs,
      group: storageGroup,
      equals: sameSummaries,
    })
    this.presence = kernel.source(`${kind} presence`, sink => this.#openPresence(sink), {
      lingerMs,
      group: storageGroup,
      equals: sameRecords,
    })
    this.refusals = kernel.source(`${kind} refusals`, sink => this.#openRefusals(sink), {
      lingerMs,
      group: storageGroup,
      equals: sameRefusals,
    })
  }

  head(namespace: string): Cell<Version | undefined> {
    return this.#heads.at(namespace)
  }

  /** Whether the namespace is watched and shows an older version than this, or none. */
  isBehind(namespace: string, version: number): boolean {
    if (!this.#headSinks.has(namespace)) return false
    const state = this.head(namespace).peek()
    return state.kind !== 'ok' || (state.value?.version ?? 0) < version
  }

  /** The heads of these namespaces, and so the listing, may have changed. */
  changedHeads(namespaces: Iterable<string>): void {
    for (const namespace of namespaces) {
      const sink = this.#headSinks.get(namespace)
      if (sink !== undefined) this.#readInto(sink, () => this.#options.reads.head(namespace))
    }
    if (this.#listSink !== undefined) this.#readInto(this.#listSink, () => this.#options.reads.summaries())
  }

  /** As changedHeads, by whoever knows the newest heads, in the order in which they were written, and has them at hand. */
  wroteHeads(heads: readonly Version[], summaries: () => readonly NamespaceSummary[]): void {
    // A cell that was opened since may show what another program has written after it.
    for (const head of heads)
      if (this.isBehind(head.namespace, head.version)) this.#headSinks.get(head.namespace)?.set(head)
    if (this.#listSink !== undefined) this.#readInto(this.#listSink, summaries)
  }

  changedPresence(): void {
    if (this.#presenceSink !== undefined) this.#publishPresence(this.#presenceSink)
  }

  changedRefusals(): void {
    if (this.#refusalsSink !== undefined) this.#readInto(this.#refusalsSink, () => this.#options.reads.refusals())
  }

  /** Whether a cell is stale or failed because it could not be read; `changedAll` tries again. */
  get hasFailedRead(): boolean {
    return this.#hasFailedRead
  }

  /** Every watched cell is read again: after a failure, or when it is not known what has changed. */
  changedAll(): void {
    this.#hasFailedRead = false
    this.changedHeads([...this.#headSinks.keys()])
    this.changedPresence()
    this.changedRefusals()
  }

  /** The backend was heard and had nothing new. */
  contact(): void {
    for (const sink of this.#sinks()) sink.contact()
  }

  /** The backend cannot be read; every open cell is stale or failed until the next change. */
  fail(error: Error, retryAt: number): void {
    for (const sink of this.#sinks()) sink.fail(error, retryAt)
  }

  *#sinks(): Iterable<Sink<never>> {
    yield* this.#headSinks.values()
    if (this.#listSink !== undefined) yield this.#listSink
    if (this.#presenceSink !== undefined) yield this.#presenceSink
    if (this.#refusalsSink !== undefined) yield this.#refusalsSink
  }

  #headCell(namespace: string): Cell<Version | undefined> {
    const open = (sink: Sink<Version | undefined>): (() => void) => {
      this.#headSinks.set(namespace, sink)
      this.#opened()
      this.#readInto(sink, () => this.#options.reads.head(namespace))
      return () => {
        this.#headSinks.delete(namespace)
        this.#closed()
      }
    }
    return this.#options.kernel.source(`${this.#options.kind} dtab ${namespace}`, open, {
      lingerMs,
      group: storageGroup,
      equals: sameVersion,
    })
  }

  #openList(sink: Sink<readonly NamespaceSummary[]>): () => void {
    this.#listSink = sink
    this.#opened()
    this.#readInto(sink, () => this.#options.reads.summaries())
    return () => {
      this.#listSink = undefined
      this.#closed()
    }
  }

  #openPresence(sink: Sink<readonly PresenceRecord[]>): () => void {
    this.#presenceSink = sink
    this.#opened()
    this.#publishPresence(sink)
    return () => {
      this.#presenceSink = undefined
      this.#expiry?.()
      this.#expiry = undefined
      this.#closed()
    }
  }

  #openRefusals(sink: Sink<readonly RefusedText[]>): () => void {
    this.#refusalsSink = sink
    this.#opened()
    this.#readInto(sink, () => this.#options.reads.refusals())
    return () => {
      this.#refusalsSink = undefined
      this.#closed()
    }
  }

  /** Also wakes when the next record runs out, for nothing else tells of that. */
  #publishPresence(sink: Sink<readonly PresenceRecord[]>): void {
    this.#expiry?.()
    this.#expiry = undefined
    const { clock, reads } = this.#options
    const records = this.#readInto(sink, () => reads.presence())
    if (records === undefined || records.length === 0) return
    const nextAt = records.reduce((soonest, record) => Math.min(soonest, record.expiresAt), Number.POSITIVE_INFINITY)
    this.#expiry = clock.after(Math.max(1, nextAt - clock.now()), () => this.#publishPresence(sink))
  }

  #readInto<T>(sink: Sink<T>, read: () => T): T | undefined {
    try {
      const value = read()
      sink.set(value)
      return value
    } catch (error) {
      this.#hasFailedRead = true
      sink.fail(error instanceof Error ? error : new Error(String(error)))
      return undefined
    }
  }

  #opened(): void {
    this.#open++
    if (this.#open === 1) this.#options.onObserved?.(true)
  }

  #closed(): void {
    this.#open--
    if (this.#open === 0) this.#options.onObserved?.(false)
  }
}
