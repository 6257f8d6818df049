// The seam between a listener and the router: one request in, one response out. A data path implements it.
import type { Readable } from 'node:stream'
import type { RawHeaders } from '../headers/raw-headers.ts'

export interface RequestHead {
  readonly method: string
  /** Origin form; what came as an absolute URI is rewritten, its authority put into Host. */
  readonly target: string
  /** `1.1` */
  readonly httpVersion: string
  readonly headers: RawHeaders
}

/** Where a response goes. Nothing happens once the client has left. */
export interface ResponseSink {
  /** Whether the head was written: from here on an error can only cut the response. */
  readonly isStarted: boolean
  /** Writes the head; the listener adds what frames the body. */
  start(status: number, reason: string, headers: string[]): void
  /** false asks the caller to wait for `onDrain`. */
  write(chunk: Uint8Array): boolean
  end(trailers?: RawHeaders): void
  /** Cuts the response so that the client sees that it is not whole. */
  cut(): void
}

/** One request with the way back to its client. */
export interface Inbound {
  readonly head: RequestHead
  /** Whether a body follows, perhaps an empty one. */
  readonly hasBody: boolean
  /** Whether the client has left before its response was whole. */
  readonly isAbandoned: boolean
  readonly response: ResponseSink
  /** A reader of the body for one attempt. Nothing is read before it is pulled; destroying it leaves the client's connection alone. */
  openBody(): Readable
  /** Called at most once, when the client leaves early. The last caller counts. */
  onAbandon(run: () => void): void
  /** Called each time the response can take more. The last caller counts. */
  onDrain(run: () => void): void
}

/** Answers one request; never rejects, and always ends or cuts the response. */
export type InboundHandler = (inbound: Inbound) => Promise<void>
