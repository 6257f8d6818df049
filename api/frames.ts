// Live frames: each state that is pushed is watched once and encoded once, whatever the number of streams that send it.
// Knows no transport: who subscribes is told that there is something newer and asks for the bytes when it can send them.
import type { Cell, Unwatch } from '../watch/cell.ts'
import { failed, pending, type State } from '../watch/state.ts'

/** Told that the frame has a newer state. Called in a delivery of the kernel: must only take note. */
export interface FrameSubscriber {
  frameChanged(): void
}

/** The newest state of one resource, and its encoded form. */
export interface Frame<T> {
  readonly state: State<T>
  /** The encoded name of the resource; absent when each stream has its own. */
  readonly resource: Uint8Array | undefined
  /** The encoded state. Kept while several subscribers share it; one alone asks once per state. */
  content(): Uint8Array
}

type Encode<T> = (state: State<T>) => Uint8Array

/** What a frame is made from. `open` and `resource` are called once, for the first subscriber. */
export interface FrameOrigin<T> {
  /** Equal for equal resources. */
  readonly key: string
  open(): Cell<T>
  resource?(): Uint8Array
}

/** A frame that follows a cell. Subscribers are one or a set: most names are watched by one stream, some by all. */
class LiveFrame<T> implements Frame<T> {
  readonly key: string
  readonly resource: Uint8Array | undefined
  readonly #encode: Encode<T>
  state: State<T> = pending
  #content: Uint8Array | undefined
  #subscribers: FrameSubscriber | Set<FrameSubscriber> | undefined
  #unwatch: Unwatch | undefined

  constructor(origin: FrameOrigin<T>, encode: Encode<T>) {
    this.key = origin.key
    this.resource = origin.resource?.()
    this.#encode = encode
  }

  open(cell: Cell<T>): void {
    // Bound, not a closure: there is one per live name, and a closure weighs twice as much.
    this.#unwatch = cell.watch(this.#accept.bind(this))
  }

  close(): void {
    this.#unwatch?.()
  }

  content(): Uint8Array {
    if (this.#content !== undefined) return this.#content
    const content = this.#encode(this.state)
    if (this.#subscribers instanceof Set) this.#content = content
    return content
  }

  add(subscriber: FrameSubscriber): void {
    if (this.#subscribers === undefined) this.#subscribers = subscriber
    else if (this.#subscribers instanceof Set) this.#subscribers.add(subscriber)
    else this.#subscribers = new Set([this.#subscribers, subscriber])
  }

  /** True when this was the last one. */
  remove(subscriber: FrameSubscriber): boolean {
    const subscribers = this.#subscribers
    const isLast =
      subscribers === subscriber ||
      (subscribers instanceof Set && subscribers.delete(subscriber) && subscribers.size === 0)
    if (isLast) this.#subscribers = undefined
    return isLast
  }

  #accept(state: State<T>): void {
    const before = this.state
    const isSameValue = before.kind === 'ok' && state.kind === 'ok' && before.value === state.value
    if (!isSameValue) this.#content = undefined
    this.state = state
    if (this.#subscribers === undefined) return
    if (!(this.#subscribers instanceof Set)) this.#subscribers.frameChanged()
    else for (const subscriber of this.#subscribers) subscriber.frameChanged()
  }
}

/** The live frames of one kind of resource, one per key. */
export class FramePool<T> {
  readonly #encode: Encode<T>
  readonly #live = new Map<string, LiveFrame<T>>()

  constructor(encode: Encode<T>) {
    this.#encode = encode
  }

  /** How many frames are watched. */
  get size(): number {
    return this.#live.size
  }

  /** The frame of a resource, watched while it has subscribers. Give it back with unsubscribe. */
  subscribe(origin: FrameOrigin<T>, subscriber: FrameSubscriber): Frame<T> {
    const live = this.#live.get(origin.key) ?? this.#open(origin)
    live.add(subscriber)
    return live
  }

  /** Ends one subscription; harmless for a frame that this pool did not give. */
  unsubscribe(frame: Frame<T>, subscriber: FrameSubscriber): void {
    if (!(frame instanceof LiveFrame) || !frame.remove(subscriber)) return
    this.#live.delete(frame.key)
    frame.close()
  }

  /** A frame that is failed for ever, for a resource that cannot be watched. */
  failed(error: Error, resource?: Uint8Array): Frame<T> {
    const state: State<T> = failed(error)
    return { state, resource, content: () => this.#encode(state) }
  }

  #open(origin: FrameOrigin<T>): LiveFrame<T> {
    const live = new LiveFrame<T>(origin, this.#encode)
    this.#live.set(origin.key, live)
    live.open(origin.open())
    return live
  }
}
