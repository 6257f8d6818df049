// A small request body that can be sent more than once: what was read of it is kept. Knows nothing of why it is sent again.
import type { BodySink, RequestBody } from '../exchange/inbound.ts'

/** Gives its slices to the sink that opened it last; a later one gets them from the beginning. Only for an announced length. */
export class ReplayBody implements RequestBody, BodySink {
  readonly length: number | undefined
  readonly isDrained = true
  readonly #body: RequestBody
  readonly #kept: Buffer[] = []
  #sink: BodySink | undefined
  #isOpen = false
  #isWhole = false
  #cut: Error | undefined

  constructor(body: RequestBody) {
    this.#body = body
    this.length = body.length
  }

  open(sink: BodySink): void {
    this.#sink = sink
    if (this.#isOpen) this.#replay(sink)
    else {
      this.#isOpen = true
      this.#body.open(this)
    }
  }

  /** A pause changes nothing: all of it fits into memory. */
  resume(): void {}

  /** Whoever opened it last wants no more of it; what still comes is kept for the next. */
  discard(): void {
    this.#sink = undefined
  }

  onData(slice: Buffer): boolean {
    const own = Buffer.from(slice)
    this.#kept.push(own)
    this.#sink?.onData(own)
    return true
  }

  onEnd(): void {
    this.#isWhole = true
    this.#sink?.onEnd(undefined)
  }

  onCut(error: Error): void {
    this.#cut = error
    this.#sink?.onCut(error)
  }

  onFlush(): void {
    this.#sink?.onFlush()
  }

  #replay(sink: BodySink): void {
    for (const slice of this.#kept) sink.onData(slice)
    if (this.#cut !== undefined) sink.onCut(this.#cut)
    else if (this.#isWhole) sink.onEnd(undefined)
    else sink.onFlush()
  }
}

/** Whether all of a body may be kept: a chunked one never, for its length is not known before its end. */
export function isReplayable({ length }: RequestBody, maxBytes: number): boolean {
  return length !== undefined && length <= maxBytes
}
