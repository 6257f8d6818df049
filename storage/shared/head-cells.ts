// The heads that somebody observes, with their texts: read when what was seen of them changes, and only then.
// Knows nothing of writing; what a stored head means it is told.
import { NamingError } from '../../naming/errors.ts'
import type { Env } from '../../runtime/env.ts'
import type { Cell, Pool, Sink } from '../../watch/cell.ts'
import { TurnQueue } from '../../watch/turn-queue.ts'
import { isUnavailable, KeyedWork } from '../keyed-work.ts'
import { sameVersion } from '../same-heads.ts'
import { storageGroup, type Version } from '../store.ts'
import type { HeadSighting } from './shared-backend.ts'
import type { SharedHeads } from './shared-heads.ts'

/** Texts that are read at one time. */
const readsAtOnce = 16

export interface HeadCellsOptions {
  readonly kind: string
  readonly env: Env
  readonly lingerMs: number
  readonly heads: SharedHeads
  /** Whether what was seen is read and shown by others, as a head that vanished is, of which a reading tells nothing. */
  readonly isOthersWork: (sighting: HeadSighting) => boolean
  /** Reads a head and shows it by `show`. */
  readonly read: (namespace: string) => Promise<void>
}

interface Shown {
  readonly order: number
  /** Absent when it was only known that the namespace is not there. */
  readonly token: string | undefined
  readonly version: Version | undefined
}

interface OpenHead {
  readonly sink: Sink<Version | undefined>
  shown: Shown | undefined
}

export class HeadCells {
  readonly #options: HeadCellsOptions
  readonly #pool: Pool<string, Version | undefined>
  readonly #open = new Map<string, OpenHead>()
  readonly #reads: KeyedWork
  readonly #turns: TurnQueue

  constructor(options: HeadCellsOptions) {
    this.#options = options
    const { env, read } = options
    this.#turns = new TurnQueue(env.clock)
    this.#pool = env.kernel.pool(
      namespace => this.#cell(namespace),
      namespace => namespace,
    )
    this.#reads = new KeyedWork({
      clock: env.clock,
      random: env.random,
      atOnce: readsAtOnce,
      run: read,
      isOfAll: isUnavailable,
      failed: (namespace, error, retryAt) => this.unread(namespace, NamingError.from(error), retryAt),
    })
  }

  at(namespace: string): Cell<Version | undefined> {
    return this.#pool.at(namespace)
  }

  /** Takes what was read or written in this epoch, unless something newer is shown. */
  show(sighting: HeadSighting, version: Version | undefined, epoch: number): void {
    const open = this.#open.get(sighting.namespace)
    if (open === undefined) return
    if (epoch !== this.#options.heads.epoch) this.#reads.ask(sighting.namespace)
    else if (open.shown === undefined || sighting.order >= open.shown.order)
      this.#set(open, { order: sighting.order, token: sighting.token, version })
  }

  /** What is known of these has changed or was confirmed. */
  changed(namespaces: Iterable<string>): void {
    for (const namespace of namespaces) {
      const open = this.#open.get(namespace)
      if (open !== undefined) this.#compare(namespace, open)
    }
  }

  /** What is shown stays until something is read, whatever its order. */
  rewound(): void {
    for (const open of this.#open.values()) open.shown = undefined
  }

  /** Everything is known anew. */
  reset(): void {
    for (const [namespace, open] of this.#open) this.#later(namespace, open, () => this.#compare(namespace, open))
  }

  contact(): void {
    for (const { sink } of this.#open.values()) sink.contact()
  }

  failed(error: Error, retryAt: number): void {
    for (const [namespace, open] of this.#open)
      this.#later(namespace, open, () => {
        if (this.#options.heads.fault !== undefined) open.sink.fail(error, retryAt)
      })
  }

  /** What is shown of it may not be what stands in the backend. */
  unread(namespace: string, error: Error, retryAt: number): void {
    this.#open.get(namespace)?.sink.fail(error, retryAt)
  }

  stop(): void {
    this.#reads.stop()
  }

  #later(namespace: string, open: OpenHead, work: () => void): void {
    this.#turns.run(() => {
      if (this.#open.get(namespace) === open) work()
    })
  }

  #cell(namespace: string): Cell<Version | undefined> {
    const { kind, env, lingerMs } = this.#options
    return env.kernel.source(`${kind} dtab ${namespace}`, sink => this.#openCell(namespace, sink), {
      lingerMs,
      group: storageGroup,
      equals: sameVersion,
    })
  }

  #openCell(namespace: string, sink: Sink<Version | undefined>): () => void {
    const { heads } = this.#options
    const open: OpenHead = { sink, shown: undefined }
    this.#open.set(namespace, open)
    const release = heads.hold()
    if (heads.isCurrent && heads.sighting(namespace) === undefined) this.#setAbsent(open)
    else this.#reads.ask(namespace)
    return () => {
      this.#open.delete(namespace)
      this.#reads.drop(namespace)
      release()
    }
  }

  #compare(namespace: string, open: OpenHead): void {
    const { heads } = this.#options
    const { shown } = open
    const sighting = heads.sighting(namespace)
    if (shown !== undefined && sighting !== undefined && shown.token === sighting.token) this.#set(open, shown)
    else if (sighting !== undefined && this.#options.isOthersWork(sighting)) return
    else if (sighting !== undefined || !heads.isCurrent) this.#reads.ask(namespace)
    else if (shown === undefined || shown.version === undefined) this.#setAbsent(open)
    else this.#reads.ask(namespace)
  }

  #setAbsent(open: OpenHead): void {
    this.#set(open, { order: this.#options.heads.wholeAt, token: undefined, version: undefined })
  }

  /** While nothing is heard of the backend, what was read by itself is shown as one that may be overtaken. */
  #set(open: OpenHead, shown: Shown): void {
    const { fault } = this.#options.heads
    open.shown = shown
    if (fault === undefined) open.sink.set(shown.version)
    else open.sink.setStale(shown.version, fault.error)
  }
}
