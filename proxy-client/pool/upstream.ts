// The contract of a pool: the connections to one endpoint, and one exchange over one of them. A data path implements it.
import type { Readable } from 'node:stream'
import type { Endpoint } from '../../naming/replica-set.ts'
import type { RawHeaders } from '../headers/raw-headers.ts'

export interface UpstreamRequest {
  readonly method: string
  /** Origin form. */
  readonly target: string
  readonly headers: RawHeaders
  /** Read only once a connection takes the request; destroyed by the pool when the exchange ends early. */
  readonly body: Readable | null
}

/**
 * How an exchange failed. unsendable: the request cannot be put on this wire, wherever it goes; refused: not a byte was
 * sent; unanswered: sent, no whole head of an answer came; broken: cut in mid-answer.
 */
export type UpstreamFailure = {
  readonly kind: 'unsendable' | 'refused' | 'unanswered' | 'broken'
  readonly error: Error
}

/** Told of one exchange: at most one response, then data, then exactly one of end and failure. Must not throw. */
export interface UpstreamHandler {
  onResponse(status: number, reason: string, headers: RawHeaders): void
  /** false asks for a pause until `resume`. */
  onData(chunk: Uint8Array): boolean
  onEnd(trailers: RawHeaders): void
  onFailure(failure: UpstreamFailure): void
}

/** An exchange in progress. */
export interface Sending {
  /** Ends it; the handler hears of a failure, or of nothing when it had ended. */
  abort(reason: Error): void
  /** Lets data flow again after onData said false. */
  resume(): void
}

export interface Upstream {
  send(request: UpstreamRequest, handler: UpstreamHandler): Sending
  /** Connections that are open now. */
  readonly connections: number
  /** Takes no more requests; resolves when those in progress have ended. */
  close(): Promise<void>
  /** Cuts everything. */
  destroy(reason: Error): Promise<void>
}

/** Makes the pool of an endpoint; connects only when a request comes. */
export type UpstreamFactory = (endpoint: Endpoint) => Upstream
