// A small request body that can be sent more than once: what was read of it is kept. Knows nothing of why it is sent again.
import type { BodySink, RequestBody } from '../exchange/inbound.ts'

/** The body as one attempt sees it: from the beginning, and for as long as no later attempt has begun. */
class Turn implements RequestBody {
  readonly length: number | undefined
  readonly #body: ReplayBody

  constructor(body: ReplayBody, length: number | undefined) {
    this.#body = body
    this.length = length
  }

  open(sink: BodySink): void {
    this.#body.openFor(this, sink)
  }

  /** A pause changes nothing: all of it fits into memory. */
  resume(): void {}

  discard(): void {
    this.#body.discardFor(this)
  }
}

/** Reads a body once and gives it to each turn. Only for an announced length. */
export class ReplayBody implements BodySink {
  readonly isDrained = true
  readonly #body: RequestBody
  readonly #kept: Buffer[] = []
  #turn: RequestBody | undefined
  #sink: BodySink | undefined
  #isOpen = false
  #isWhole = false
  #cut: Error | undefined

  constructor(body: RequestBody) {
    this.#body = body
  }

  /** For the next attempt; the one before gets no more of it, and what it still does changes nothing. */
  nextTurn(): RequestBody {
    this.#sink = undefined
    this.#turn = new Turn(this, this.#body.length)
    return this.#turn
  }

  /** Of a turn. */
  openFor(turn: RequestBody, sink: BodySink): void {
    if (turn !== this.#turn) return
    this.#sink = sink
    if (this.#isOpen) this.#replay(sink)
    else {
      this.#isOpen = true
      this.#body.open(this)
    }
  }

  /** Of a turn: it wants no more. What still comes is kept for the next. */
  discardFor(turn: RequestBody): void {
    if (turn === this.#turn) this.#sink = undefined
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
