// One stream of answers to one request, opened again whenever it ends. Knows no message.
import { type Client, type ClientReadableStream, Metadata, type StatusObject, status } from '@grpc/grpc-js'
import { plainFailure, pushbackMsOf } from '../../runtime/grpc-failure.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Backoff } from '../retry/backoff.ts'

export interface StreamMethod {
  readonly path: string
  readonly requestSerialize: (bytes: Uint8Array) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Buffer
}

export interface KeptStreamOptions {
  readonly method: StreamMethod
  readonly request: Uint8Array
  readonly clock: Clock
  /** Waits between an end, or the time until which the server asks not to be called, and the next try; begins anew with each message. */
  readonly backoff: Backoff
  /** The connection that stands; without one the stream waits to be told of the next. */
  readonly client: () => Client | undefined
}

/** How a stream ended: a gRPC status and its words. */
export interface StreamEnd {
  readonly code: status
  readonly details: string
}

export interface KeptStreamEvents {
  /** A RangeError thrown here ends the stream: the server sent what cannot be read. */
  received(message: Buffer): void
  ended(end: StreamEnd): void
}

type Call = ClientReadableStream<Buffer>

/** Whatever a server asks for, it is tried again after this. */
const maxPushbackMs = 60_000

/** Opens at once where there is a connection. */
export class KeptStream {
  readonly #options: KeptStreamOptions
  readonly #events: KeptStreamEvents
  #call: Call | undefined
  /** Where the call is, or was last. */
  #client: Client | undefined
  #cancelWait: Cancel | undefined

  constructor(options: KeptStreamOptions, events: KeptStreamEvents) {
    this.#options = options
    this.#events = events
    this.open()
  }

  get isOpen(): boolean {
    return this.#call !== undefined
  }

  /** Opens it on the connection that stands now; where it is open on another one it moves there. */
  open(): void {
    this.#stopWaiting()
    const { client: clientOf, method, request } = this.#options
    const client = clientOf()
    if (client === undefined || (this.isOpen && client === this.#client)) return
    this.#client = client
    const before = this.#call
    const call = client.makeServerStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
    )
    this.#call = call
    before?.cancel()
    call.on('data', (message: Buffer) => this.#receive(call, message))
    call.on('status', ({ code, details, metadata }: StatusObject) =>
      this.#end(call, { code, details: plainFailure(details) }, pushbackMsOf(metadata)),
    )
    // Its status says the same.
    call.on('error', () => {})
  }

  /** Ends it; harmless when called twice. */
  close(): void {
    this.#stopWaiting()
    const call = this.#call
    this.#call = undefined
    call?.cancel()
  }

  #receive(call: Call, message: Buffer): void {
    if (call !== this.#call) return
    try {
      this.#events.received(message)
      this.#options.backoff.reset()
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      call.cancel()
      this.#end(call, { code: status.INTERNAL, details: `it sent what cannot be read: ${error.message}` })
    }
  }

  #end(call: Call, end: StreamEnd, pushbackMs = 0): void {
    if (call !== this.#call) return
    this.#call = undefined
    this.#events.ended(end)
    const { clock, backoff } = this.#options
    const waitMs = Math.min(pushbackMs, maxPushbackMs) + backoff.next()
    this.#cancelWait = clock.after(waitMs, () => this.open())
  }

  #stopWaiting(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
  }
}
