// HTTP/1.1 messages as the reader hands them out (RFC 9112). Knows no socket and no routing.
import type { Fields } from './fields.ts'

/**
 * How a body is delimited. `close`: it ends with the connection, responses only. `tunnel`: no message follows any more
 * (101, or 2xx to CONNECT), the bytes after the head belong to another protocol. `none` with Content-Length among the fields
 * is an answer to HEAD or a 304: the field tells of the body that is not sent.
 */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'close' }
  | { readonly kind: 'tunnel' }

/** What request and response heads share. */
interface MessageHead {
  /** The minor version: 0 or 1. */
  readonly minor: 0 | 1
  readonly fields: Fields
  readonly framing: Framing
  /** Whether the connection may carry another message after this one, as far as this head says. */
  readonly isPersistent: boolean
  /** The value of Upgrade when `Connection` names it too; an HTTP/1.0 message has none, nor has one that lists h2c. */
  readonly upgrade: string | undefined
}

export interface RequestHead extends MessageHead {
  readonly method: string
  /** As sent: origin, absolute, authority (CONNECT) or asterisk form. */
  readonly target: string
  readonly expectsContinue: boolean
}

export interface ResponseHead extends MessageHead {
  readonly status: number
  readonly reason: string
}

/** Why a stream of bytes is not, or no longer, HTTP/1.1 as we take it. Nothing after it can be read. */
export interface MessageProblem {
  /**
   * malformed: against the grammar or ambiguous; lineTooLong: the start line is over its limit; tooLong: over another one;
   * otherVersion: of HTTP; unsupported: a transfer coding that we lack; cut: the stream ended within a message.
   */
  readonly kind: 'malformed' | 'lineTooLong' | 'tooLong' | 'otherVersion' | 'unsupported' | 'cut'
  /** One sentence without the offending bytes. */
  readonly message: string
  /** Whether it is the head of a HEAD that cannot be read: the answer must have no body. */
  readonly isOfHead?: true
}

/** Limits of a head; what is over them is a problem of kind `lineTooLong` or `tooLong`. */
export interface HeadLimits {
  /** Bytes of the start line. */
  readonly maxStartLineBytes: number
  /** Bytes of all field lines together; of a trailer section too. */
  readonly maxFieldBytes: number
  readonly maxFields: number
}

/** Told of each message, within `read` and `finish`. Slices are parts of what was fed; a sink that keeps them keeps the whole. */
export interface MessageSink<H> {
  /** The head of a message. */
  onHead(head: H): void
  /** A head with a status from 100 to 199 but 101; the message itself is still to come. Responses only. */
  onInterim(head: H): void
  /** Payload, never empty. */
  onData(slice: Buffer): void
  /** The message is whole; not told of a tunnel. Trailer fields, if any, are checked: none that frames, routes or authenticates. */
  onEnd(trailers: Fields | undefined): void
  onProblem(problem: MessageProblem): void
}

/** Cuts a stream of bytes into messages, one at a time. */
export interface MessageReader {
  /** Whether a part of a message, or half of an empty line before it, was read and its end was not. */
  readonly isInMessage: boolean
  /**
   * Feeds bytes. Gives the index of the first byte that was not taken: the length of the chunk, or less when a message
   * ended within it, a tunnel began or a problem was found. After an end nothing is taken until `next`.
   */
  read(chunk: Buffer, from: number): number
  /** The stream has ended: ends a body that is delimited by it, else a message in progress is cut. */
  finish(): void
  /** Makes ready for the message after one that has ended. */
  next(): void
}

/** A reader of responses needs to know what they answer. */
export interface ResponseReader extends MessageReader {
  /** Makes ready for the response to a request with this method; before the first call nothing is taken. One to HEAD has no body, 2xx to CONNECT is a tunnel. */
  expect(method: string): void
}
