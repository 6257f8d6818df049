// The body of one request on its way from a client's connection to whoever takes it. Holds at most what one read brought.
import type { Fields } from '../http1/fields.ts'
import type { BodySink, RequestBody } from './inbound.ts'

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
    this.#waiting = []
    this.#source?.bodyDiscarded()
  }

  /** From the connection: a part of it has come. */
  push(slice: Buffer): void {
    this.received += slice.length
    if (this.#isDiscarded) return
    if (this.#sink === undefined || this.#isPaused) this.#waiting.push(slice)
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
    this.#waiting = []
    this.#cut = error
    this.#fail(error)
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
    this.#waiting = taken < this.#waiting.length ? this.#waiting.slice(taken) : []
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
