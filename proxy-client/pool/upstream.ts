// The contract of a pool: the connections to one endpoint, and one exchange over one of them. A data path implements it.
import type { Socket } from 'node:net'
import type { Endpoint } from '../../naming/replica-set.ts'
import type { RequestBody } from '../exchange/inbound.ts'
import type { Fields } from '../http1/fields.ts'
import type { ResponseHead } from '../http1/message.ts'

export interface UpstreamRequest {
  readonly method: string
  /**
   * The request line and the end-to-end fields, each line ended by CRLF, Host among them and without the empty line. The pool
   * adds the fields that frame the body or concern the connection, and Expect.
   */
  readonly headText: string
  /** Opened only once a connection takes the request. */
  readonly body: RequestBody | undefined
  readonly expectsContinue: boolean
  /** The protocol that the client asks to change to. */
  readonly upgrade: string | undefined
  /** Whether its time is over. Asked when it had to wait for a connection: it is not sent then, and fails as crowded. */
  readonly isTooLate?: boolean
}

/**
 * How an exchange failed. refused: no connection, not a byte was sent; crowded: the pool's waiters are at their limit, nothing
 * was sent; unanswered: sent, no whole head of an answer came (`isFresh`: on a connection's first request); broken: cut in
 * mid-answer; malformed: the answer is not HTTP/1.1 as we take it; bodyCut: the client's body ended too early.
 */
export interface UpstreamFailure {
  readonly kind: 'refused' | 'crowded' | 'unanswered' | 'broken' | 'malformed' | 'bodyCut'
  readonly error: Error
  /** Whether the connection was opened for it: one that was kept may have been closed by the upstream at that very moment. */
  readonly isFresh: boolean
}

/** Told of one exchange: interim heads, at most one response, then data, then exactly one of end, tunnel and failure. Must not throw. */
export interface UpstreamHandler {
  onInterim(head: ResponseHead): void
  onResponse(head: ResponseHead): void
  /** false asks for a pause until `Sending.resume`. */
  onData(slice: Buffer): boolean
  onEnd(trailers: Fields | undefined): void
  /** All that came with one read has been handed over: what was held back to be sent together may go. Not called after the end. */
  onFlush(): void
  /**
   * Whether no slice is kept any more. Asked after onFlush and onEnd: true lets the connection use their memory for its next
   * read, so whoever keeps a slice says false or copies it.
   */
  readonly isDrained: boolean
  /** The upstream has changed protocols. The handler owns the socket from here, and what was read ahead. */
  onTunnel(head: ResponseHead, socket: Socket, early: Buffer): void
  onFailure(failure: UpstreamFailure): void
}

/** An exchange in progress. */
export interface Sending {
  /** Ends it without another word to the handler; the connection is closed unless nothing was sent. Harmless after the end. */
  abort(): void
  /** Lets data flow again after onData said false. */
  resume(): void
}

export interface Upstream {
  /** Calls the handler later, or within the call when it fails at once. */
  send(request: UpstreamRequest, handler: UpstreamHandler): Sending
  /** Connections that are open now, those being opened included. */
  readonly connections: number
  /** Takes no more requests; resolves when those in progress have ended. */
  close(): Promise<void>
  /** Cuts everything. */
  destroy(reason: Error): Promise<void>
}

/** Makes the pool of an endpoint; connects only when a request comes, or to keep `minSize`. */
export type UpstreamFactory = (endpoint: Endpoint) => Upstream
