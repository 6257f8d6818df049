// Readers that idle connections lend to each other: a kept connection without a request needs none, and there are many.
import type { Fields } from '../http1/fields.ts'
import type { HeadLimits, MessageProblem, MessageReader, MessageSink, RequestHead } from '../http1/message.ts'
import { createRequestReader } from '../http1/request-reader.ts'

/** More than that are not kept. */
const maxFree = 256

/** A reader with the connection that it reads for now. */
export class LentReader implements MessageSink<RequestHead> {
  readonly reader: MessageReader
  user: MessageSink<RequestHead>

  constructor(limits: HeadLimits, user: MessageSink<RequestHead>) {
    this.user = user
    this.reader = createRequestReader(limits, this)
  }

  onHead(head: RequestHead): void {
    this.user.onHead(head)
  }

  onInterim(head: RequestHead): void {
    this.user.onInterim(head)
  }

  onData(slice: Buffer): void {
    this.user.onData(slice)
  }

  onEnd(trailers: Fields | undefined): void {
    this.user.onEnd(trailers)
  }

  onProblem(problem: MessageProblem): void {
    this.user.onProblem(problem)
  }
}

const nobody: MessageSink<RequestHead> = {
  onHead: () => {},
  onInterim: () => {},
  onData: () => {},
  onEnd: () => {},
  onProblem: () => {},
}

export class ReaderPool {
  readonly #limits: HeadLimits
  readonly #free: LentReader[] = []

  constructor(limits: HeadLimits) {
    this.#limits = limits
  }

  /** A reader that is ready for a request. */
  take(user: MessageSink<RequestHead>): LentReader {
    const lent = this.#free.pop()
    if (lent === undefined) return new LentReader(this.#limits, user)
    lent.user = user
    return lent
  }

  /** Takes back one that is not in a message; one that was left within a message is not given back. */
  give(lent: LentReader): void {
    lent.user = nobody
    // It may have passed over an empty line, which is not the next connection's.
    lent.reader.next()
    if (this.#free.length < maxFree) this.#free.push(lent)
  }
}
