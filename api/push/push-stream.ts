// One response stream of any push protocol: messages go out one at a time, each when the transport has taken the one before,
// so that a slow reader holds one message and the newest state of each name. Knows no protocol.
import { Metadata, type ServerDuplexStream, type ServerWritableStream, status } from '@grpc/grpc-js'
import type { ConnectionStream } from './connections.ts'
import { type CallTransport, messagePrefixBytes, transportOf } from './http2-of-call.ts'
import type { PushContext } from './push-context.ts'
import type { SendBudget } from './send-budget.ts'
import type { UnsentHolder } from './unsent-watch.ts'
import type { Task } from './work-queue.ts'

export type PushCall = ServerDuplexStream<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>

/** What a protocol does on its stream. Nothing here may throw. */
export interface PushProtocol {
  /** The next message, bytes that nobody changes any more; undefined when nothing is to be sent now. About a millisecond's work. */
  nextMessage(): Buffer | undefined
  /** The transport has taken that message. */
  messageTaken?(): void
  /** Work besides sending, a piece of about a millisecond; true while there is more that can be done now. */
  work?(): boolean
  /** Asks the client to go on with another stream within this time; absent where the protocol has no words for it. */
  askToMove?(withinMs: number, reason: string): void
  /** The stream is over: gives up a piece of what it holds; true while there is more. */
  release(): boolean
}

export class PushStream implements Task, ConnectionStream, UnsentHolder {
  readonly transport: CallTransport | undefined
  readonly #call: PushCall
  readonly #context: PushContext
  readonly #protocol: PushProtocol
  readonly #budget: SendBudget | undefined
  #isClosed = false
  /** Bytes on their way, and since when nothing of them is taken, on the monotonic clock. */
  #sending = 0
  #sendingSince = 0

  /** Takes the call over: it is served until it ends. `protocol` may be asked from the next turn on. */
  constructor(call: PushCall, protocol: PushProtocol, context: PushContext) {
    this.#call = call
    this.#protocol = protocol
    this.#context = context
    this.transport = transportOf(call, this.#taken)
    this.#budget = this.transport && context.unsent.budgetOf(this.transport.session)
    call.on('error', this.#close)
    call.on('close', this.#close)
    call.on('cancelled', this.#over)
    context.opened(this)
    if (this.transport === undefined) this.#over()
    else call.sendMetadata(new Metadata())
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get service(): string {
    return this.#call.getPath().split('/', 2)[1] ?? ''
  }

  /** Bytes that the transport has not taken; 0 when it waits for nothing. */
  get unsentBytes(): number {
    return this.#sending
  }

  /** Since when the transport takes nothing, on the monotonic clock; meaningless when it holds nothing. */
  get unsentSince(): number {
    return this.#sendingSince
  }

  get isCrowding(): boolean {
    return this.#budget?.isCrowded === true
  }

  /** There is something to do: work or send. */
  wake(): void {
    this.#context.queue.add(this)
  }

  work(): boolean {
    if (this.#isClosed) return this.#protocol.release()
    const hasMore = this.#protocol.work?.() === true
    if (!this.#isClosed && this.#sending === 0) this.#send()
    return hasMore
  }

  /** Ends the stream with a status after what is on its way; what it held is given up in pieces afterwards. */
  end(code: status, details: string, metadata?: Metadata): void {
    if (this.#isClosed) return
    this.#close()
    this.transport?.flush()
    this.#call.emit('error', Object.assign(new Error(details), { code, details, metadata }))
  }

  /** Ends it with UNAVAILABLE and asks the client to come back so much later. */
  turnAway(afterMs: number): void {
    const metadata = new Metadata()
    metadata.set('grpc-retry-pushback-ms', String(Math.ceil(afterMs)))
    this.end(status.UNAVAILABLE, 'The server has too many newcomers.', metadata)
  }

  askToMove(withinMs: number, reason: string): boolean {
    if (this.#isClosed || this.#protocol.askToMove === undefined) return false
    this.#protocol.askToMove(withinMs, reason)
    return true
  }

  /** Ends it well. */
  finish(): void {
    if (this.#isClosed) return
    this.#close()
    this.transport?.flush()
    this.#call.end()
  }

  /** Ends a stream whose peer does not read, also one that has ended but for what is on its way: that is lost. */
  reset(): void {
    this.#over()
    this.transport?.reset()
  }

  #send(): void {
    const { transport } = this
    if (transport === undefined || this.#budget?.admits(this) !== true) return
    const message = this.#protocol.nextMessage()
    if (message === undefined || this.#isClosed) return
    this.#sending = messagePrefixBytes + message.length
    this.#sendingSince = this.#context.queue.now
    this.#budget.take(this.#sending)
    this.#context.counters.messages.inc()
    transport.send(message)
  }

  readonly #taken = (isWholeMessage: boolean): void => {
    if (!isWholeMessage) {
      this.#sendingSince = this.#context.clock.monotonic()
      return
    }
    this.#nothingOnItsWay()
    if (this.#isClosed) return
    this.#protocol.messageTaken?.()
    this.wake()
  }

  /** Nothing new goes out. What is on its way still does. */
  readonly #close = (): void => {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#budget?.forget(this)
    this.#context.closed(this)
    if (this.#sending === 0) this.#context.unsent.delete(this)
    this.wake()
  }

  /** The transport is through with the stream, or shall be. */
  readonly #over = (): void => {
    this.#close()
    this.#nothingOnItsWay()
  }

  #nothingOnItsWay(): void {
    this.#budget?.give(this.#sending)
    this.#sending = 0
    if (this.#isClosed) this.#context.unsent.delete(this)
  }
}
