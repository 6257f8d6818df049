// What the rest of the product sees of the kernel: cells, and the three ways to make one.
import type { State } from './state.ts'

/** Takes a state; must not await. A throw is reported and harms no other watcher. */
export type Watcher<T> = (state: State<T>) => void

/** Ends a watch; harmless when called twice. Nothing is delivered after it returns. */
export type Unwatch = () => void

/** A watcher as an object, where two closures for each of very many watches would cost too much. Bound as a Watcher is. */
export interface Observer<T> {
  deliver(state: State<T>): void
  /**
   * True for one that feeds another cell. It is told before all who only look on, between their deliveries too, so that
   * what it feeds does not stay behind for as long as a flush is served.
   */
  readonly isRelay?: boolean
  /** True for one that is not to be told that a mirror awaits its first state: its first delivery is that state. */
  readonly isPatient?: boolean
}

/** A watch as an object. `end` is what Unwatch is. */
export interface Observation {
  /** Of the cell, for people. */
  readonly name: string
  end(): void
}

/** Resolves a cell to its node; for the kernel's own files only. */
export const nodeOf = Symbol('nodeOf')

/** Something that changes. Cells come from a Kernel or a pool only. */
export interface Cell<T> {
  /** For people: names the cell in /state and in messages. */
  readonly name: string
  /** The present state, computed if need be; opens nothing. A source that nobody watches is pending. */
  peek(): State<T>
  /** Delivers the present state before it returns, then each change: the newest only, at most once per flush. Aborting the signal ends it. */
  watch(watcher: Watcher<T>, signal?: AbortSignal): Unwatch
  /** The same as watch: the present state before it returns, then each change. */
  observe(observer: Observer<T>): Observation
  readonly [nodeOf]: () => unknown
}

/**
 * Reads a cell inside a derivation and depends on it. With `affects`, a change of an ok value recomputes only when
 * affects(before, after) is true; it must be pure and cheap, for it is asked once per dependent and change.
 */
export type Read = <T>(cell: Cell<T>, affects?: Affects<T>) => State<T>

/** A function, or an object where a closure for each of very many cells would cost too much. */
export type Affects<T> = ((before: T, after: T) => boolean) | { readonly affects: (before: T, after: T) => boolean }

/** What a derived cell computes: a function, or an object where a closure for each of very many cells would cost too much. */
export type Compute<T> = ((read: Read) => State<T>) | { readonly compute: (read: Read) => State<T> }

/** Where a source reports. After close every call is ignored. */
export interface Sink<T> {
  /** A good answer: the value, no longer stale. An equal value is delivered to nobody. `version` is the backend's own, for people. */
  set(value: T, version?: string): void
  /** The backend fails: the last good value stays and is stale; without one the cell is failed. `retryAt` in ms since 1970. */
  fail(error: Error, retryAt?: number): void
  /**
   * A value that is shown for want of one that can be trusted: it is stale for that reason, since it or the value before
   * it first was. It is no failure of the source, so onSource is not told.
   */
  setStale(value: T, reason: Error): void
  /** Heard from the backend, nothing new. It heals nothing: what is stale is so until a set. */
  contact(version?: string): void
}

/** A cell that is set from outside. */
export interface Input<T> extends Cell<T>, Sink<T> {}

/** A cell that shows what a cell of another kernel has. */
export interface Mirror<T> extends Cell<T> {
  /** The state of that cell, whatever it is: nothing is kept of the one before. The same value, by identity, is no change. Ignored while closed. */
  show(state: State<T>): void
}

/** Who feeds mirrors. One may feed many. */
export interface MirrorFeed<T> {
  /** Its first watcher came; it is `awaited` until its first state is shown. */
  opened(mirror: Mirror<T>): void
  /** Its last watcher left and none came back in that turn. Not called for those that are open when the kernel closes. */
  closed(mirror: Mirror<T>): void
}

export interface CellOptions<T> {
  /** Equal values are not delivered; Object.is when absent. */
  readonly equals?: (a: T, b: T) => boolean
}

export interface InputOptions<T> extends CellOptions<T> {
  /** The state before the first set is ok with this value; pending when absent. */
  readonly initial?: T
}

/** The group of sources that only pass on what other sources say: their troubles are told where they begin. */
export const relayGroup = 'relay'

export interface SourceOptions<T> extends CellOptions<T> {
  /** How long the source stays open after its last watcher left, in milliseconds; 0 closes at the next turn. */
  readonly lingerMs?: number
  /** For people: the backend that the source belongs to. Sources of one group are shown and counted together. */
  readonly group?: string
}

/** What is known of an open source; times in ms since 1970. */
export interface SourceReport {
  readonly name: string
  readonly group?: string
  readonly state: State<unknown>['kind'] | 'stale'
  /** False when its open threw: nothing will ever report until it is opened again. */
  readonly running: boolean
  readonly openedAt: number
  readonly changedAt?: number
  readonly contactAt?: number
  /** What the backend called the newest answer. */
  readonly version?: string
  /** Since the last contact, in milliseconds. */
  readonly ageMs?: number
  readonly failingSince?: number
  readonly lastError?: string
  readonly retryAt?: number
  readonly observers: number
  readonly lingering: boolean
}

export interface SourceEvent {
  readonly kind: 'opened' | 'failed' | 'failed-again' | 'recovered' | 'closed'
  readonly source: string
  readonly group?: string
  readonly error?: Error
  readonly retryAt?: number
}

export interface Kernel {
  /** A cell set from outside; pending until the first set. */
  input<T>(name: string, options?: InputOptions<T>): Input<T>
  /**
   * A cell computed from others; runs only while watched, and only when something it read has changed. It must be pure:
   * a throw is its failure, and a cycle fails every cell on it with the names. At most 500 cells that were never
   * computed may be reached through each other at once; deeper chains must be watched from the bottom up.
   */
  derive<T>(name: string, compute: Compute<T>, options?: CellOptions<T>): Cell<T>
  /** A cell fed by a backend: open runs at the first watcher and returns its close, which runs once after the last one left. */
  source<T>(name: string, open: (sink: Sink<T>) => () => void, options?: SourceOptions<T>): Cell<T>
  /** A cell fed from outside with any state, pending included, while somebody watches it. */
  mirror<T>(name: string, feed: MirrorFeed<T>): Mirror<T>
  /** One cell per key while anyone watches it; create makes a new one of this kernel from the key and its text, and is asked while there is none. */
  pool<K, T>(create: (key: K, keyText: string) => Cell<T>, keyText: (key: K) => string): Pool<K, T>
  /** Runs `then` once every watcher that has something to be told now has been told. */
  afterDelivery(then: () => void): void
  /**
   * Inside a watcher: when the first of the changes that are being delivered was made, on the monotonic clock. A change that
   * is delivered is never older. Elsewhere: now.
   */
  changedAt(): number
  /** Every open source, for /state. */
  sources(): readonly SourceReport[]
  /** Counts of what is alive, for leak tests and metrics. */
  counts(): {
    readonly watchers: number
    /** Cells that are observed, and sources that linger. */
    readonly cells: number
    readonly openSources: number
    readonly evaluations: number
    readonly deliveries: number
  }
  /** Closes every source and forgets every watcher; nothing is delivered or opened afterwards, and a watch does nothing. */
  close(): void
}

export interface Pool<K, T> {
  at(key: K): Cell<T>
  /** How many of its cells are alive. */
  readonly size: number
  /** The texts of the keys of the live cells. */
  keys(): Iterable<string>
}
