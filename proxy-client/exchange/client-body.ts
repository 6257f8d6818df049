// The body of one request on its way from a client's connection to whoever takes it. Holds at most what one read brought.
import type { Fields } from '../http1/fields.ts'
import type { BodySink, RequestBody } from './inbound.ts'

/** Slices that wait as they came. A body in tiny chunks has thousands in one read, each many times its size as an object. */
const maxSlices = 16
/** From there on those up to this size are gathered. */
const smallBytes = 1_024
/** Memory that small slices are gathered in. */
const gatherBytes = 16_384

/** The connection that a body comes from. */
export interface BodySource {
  /** The sink takes data again: what stands still may flow. */
  bodyWanted(): void
  /** Nobody wants what is left. */
  bodyDiscarded(): void
}

export class ClientBody implements RequestBody {
  readonly length: number | undefined
  /** Payload bytes that came. */
  received = 0
  #source: BodySource | undefined
  #sink: BodySink | undefined
  /** What came while nobody took it. */
  #waiting: Buffer[] = []
  /** Memory whose first bytes, up to `gathered`, hold small slices that wait. */
  #gather: Buffer | undefined
  #gathered = 0
  /** How much of them the last of the waiting slices is; 0 when that lies elsewhere. */
  #tailBytes = 0
  #trailers: Fields | undefined
  #isWhole = false
  #isPaused = false
  #isDiscarded = false
  #isDelivering = false
  #cut: Error | undefined

  constructor(length: number | undefined, source: BodySource) {
    this.length = length
    this.#source = source
  }

  /** Whether more data would have to be kept. */
  get isStanding(): boolean {
    return !this.#isDiscarded && (this.#isPaused || this.#waiting.length > 0)
  }

  get isDiscarded(): boolean {
    return this.#isDiscarded
  }

  open(sink: BodySink): void {
    if (this.#isDiscarded) return
    this.#sink = sink
    this.#deliver()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    if (!this.#isDelivering) this.#deliver()
  }

  discard(): void {
    if (this.#isDiscarded) return
    this.#isDiscarded = true
    this.#sink = undefined
    this.#setWaiting([])
    this.#source?.bodyDiscarded()
  }

  /** From the connection: a part of it has come. */
  push(slice: Buffer): void {
    this.received += slice.length
    if (this.#isDiscarded) return
    if (this.#sink === undefined || this.#isPaused) this.#keep(slice)
    else if (!this.#sink.onData(slice)) this.#isPaused = true
  }

  /** From the connection: it is whole. */
  finish(trailers: Fields | undefined): void {
    this.#isWhole = true
    this.#trailers = trailers
    this.#source = undefined
    if (this.#waiting.length === 0 && !this.#isPaused) this.#end()
  }

  /** From the connection: all of one read has been pushed. */
  flush(): void {
    this.#sink?.onFlush()
  }

  /** From the connection: the client has left; a taker that has had all of it hears nothing. */
  cut(error: Error): void {
    this.#source = undefined
    this.#setWaiting([])
    this.#cut = error
    this.#fail(error)
  }

  #keep(slice: Buffer): void {
    if (slice.length > smallBytes || this.#waiting.length < maxSlices) {
      this.#tailBytes = 0
      this.#waiting.push(slice)
      return
    }
    if (this.#gather === undefined || this.#gathered + slice.length > gatherBytes) {
      this.#gather = Buffer.allocUnsafeSlow(gatherBytes)
      this.#gathered = 0
      this.#tailBytes = 0
    }
    slice.copy(this.#gather, this.#gathered)
    this.#gathered += slice.length
    if (this.#tailBytes > 0) this.#waiting.pop()
    this.#tailBytes += slice.length
    this.#waiting.push(this.#gather.subarray(this.#gathered - this.#tailBytes, this.#gathered))
  }

  /** What was handed over is not added to. */
  #setWaiting(waiting: Buffer[]): void {
    this.#waiting = waiting
    this.#tailBytes = 0
    if (waiting.length === 0) this.#gather = undefined
  }

  /** Hands over what waits, until the sink asks for a pause. */
  #deliver(): void {
    if (this.#cut !== undefined) {
      this.#fail(this.#cut)
      return
    }
    this.#isDelivering = true
    let taken = 0
    while (taken < this.#waiting.length && !this.#isPaused) {
      const slice = this.#waiting[taken++]
      if (slice !== undefined && this.#sink?.onData(slice) === false) this.#isPaused = true
    }
    this.#setWaiting(taken < this.#waiting.length ? this.#waiting.slice(taken) : [])
    this.#isDelivering = false
    this.#afterDelivery()
  }

  #afterDelivery(): void {
    if (!this.#isPaused && this.#isWhole) {
      this.#end()
      return
    }
    this.#sink?.onFlush()
    if (!this.#isPaused && !this.#isDiscarded) this.#source?.bodyWanted()
  }

  #end(): void {
    const sink = this.#sink
    this.#sink = undefined
    sink?.onEnd(this.#trailers)
  }

  #fail(error: Error): void {
    const sink = this.#sink
    this.#sink = undefined
    sink?.onCut(error)
  }
}
