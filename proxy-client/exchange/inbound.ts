// The seam between a listener and the router: one request in, one response out. A data path implements it.
// Everything here is called back synchronously or later on the same thread; nothing allocates a promise per request.
import type { Socket } from 'node:net'
import type { Fields } from '../http1/fields.ts'
import type { Framing, RequestHead } from '../http1/message.ts'

/** Takes a body as it comes. */
export interface BodySink {
  /** Payload, never empty. false asks for a pause until `RequestBody.resume`. */
  onData(slice: Buffer): boolean
  /** The body is whole. */
  onEnd(trailers: Fields | undefined): void
  /** The client left, or broke the rules, in the middle of it. */
  onCut(error: Error): void
  /** All that came with one read has been handed over: what was held back to be sent together may go. Not called after the end. */
  onFlush(): void
  /**
   * Whether no slice is kept any more. Asked after onFlush and onEnd: true lets the reader use their memory for its next read,
   * so whoever keeps a slice says false or copies it.
   */
  readonly isDrained: boolean
}

export interface RequestBody {
  /** Bytes, when the client announced them; undefined for a chunked body. */
  readonly length: number | undefined
  /** Lets it flow into a sink, once; a body that has come already flows within the call. */
  open(sink: BodySink): void
  /** Lets data flow again after onData said false. */
  resume(): void
  /** Takes the sink away: what is left is read and dropped, within limits, or the connection closes after the response. */
  discard(): void
}

/** A connection from a client. */
export interface Peer {
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
}

/** Where a response goes. Nothing happens once the client has left. */
export interface ResponseSink {
  /** Whether a final head was written: from here on an error can only cut the response. */
  readonly isStarted: boolean
  /** Relays an interim response; dropped for an HTTP/1.0 client. `lines` as in `start`. */
  interim(status: number, reason: string, lines: string): void
  /**
   * The final head. `lines` are whole field lines, each ended by CRLF, without those that frame or concern the connection:
   * the sink writes them, by `framing` and by what the client can read. A close-delimited body becomes chunked. Held back until `flush` or `end`.
   * To HEAD and with 204 and 304 no body is written: `length` is told as Content-Length, and with `none` nothing is, so that
   * `lines` may hold what an upstream said of its length. Any other answer without a body gets `Content-Length: 0`.
   */
  start(status: number, reason: string, lines: string, framing: Framing): void
  /** false asks the caller to wait for `onDrain`. More than was announced cuts the response, as an end before it does. */
  write(slice: Buffer): boolean
  /** Sends what is held back. */
  flush(): void
  /** Whether the system has taken all that was written, so that no slice is kept; also after the end. */
  readonly isDrained: boolean
  /** Trailers as whole field lines. Ends and flushes. */
  end(trailerLines?: string): void
  /** Cuts the response so that the client sees that it is not whole. */
  cut(): void
  /**
   * Answers an Upgrade (101) or a CONNECT (2xx), and hands over the client's socket, paused, with what it had sent ahead. The
   * caller owns both. `lines` hold Upgrade; Connection is added. Undefined when the client has left, a response has begun or
   * the request is not whole. `onClose` runs once the socket is closed.
   */
  tunnel(status: number, reason: string, lines: string): { readonly socket: Socket; readonly early: Buffer } | undefined
}

/** One request with the way back to its client. Each request has its own; once its response is over, calls do nothing. */
export interface Inbound {
  readonly head: RequestHead
  readonly method: string
  /** Origin form; `*` for OPTIONS; the authority for CONNECT. An absolute URI was cut. */
  readonly target: string
  /** Of an absolute URI, else the value of Host; undefined for an HTTP/1.0 request without. */
  readonly host: string | undefined
  readonly peer: Peer
  readonly body: RequestBody | undefined
  readonly response: ResponseSink
  /** When its head was whole, by `Clock.monotonic`. */
  readonly startedAt: number
  /** Payload bytes that came and went so far, for logs. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** Whether the client has left before its response was whole. */
  readonly isAbandoned: boolean
  /** Called at most once, when the client leaves early. The last caller counts. */
  onAbandon(run: () => void): void
  /** Called each time the response can take more. The last caller counts. */
  onDrain(run: () => void): void
  /** Called once, when the response is over: whole, cut or abandoned. The last caller counts. */
  onClose(run: () => void): void
}

/** Answers one request; never throws, and always ends, cuts or tunnels the response. */
export type InboundHandler = (inbound: Inbound) => void
