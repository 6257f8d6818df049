// The HTTP/2 stream under a call of grpc-js. grpc-js has no way to reset one stream, nor to ask which connection it is on, and
// copies each message for each stream; but it keeps the stream in a field of the call. Nothing else may reach there.
import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2'

/** Told what the transport has taken, which is what the peer's windows and the socket had room for. */
export type OnTaken = (isWholeMessage: boolean) => void

export interface CallTransport {
  readonly session: Http2Session
  /**
   * Sends one message, whose bytes nobody may change any more: large ones are not copied. One at a time: `onTaken` says when
   * it is through, and for large ones that a part is. It is told no more once the stream is over.
   */
  send(message: Buffer): void
  /** Hands over what is left of a message on its way, so that grpc-js may end the stream after it. */
  flush(): void
  /** Ends the stream at once, whatever it has not sent, and frees it also when its socket stands still; the peer is told CANCEL. */
  reset(): void
}

/**
 * Undefined when the stream is over already: grpc-js hands over a call also when its client has gone meanwhile, and then never
 * tells. Throws when a grpc-js is installed that keeps the stream elsewhere.
 */
export function transportOf(call: object, onTaken: OnTaken): CallTransport | undefined {
  const stream = streamOf(call)
  const { session } = stream
  return session === undefined || isStreamOver(stream) ? undefined : new Http2Transport(stream, session, onTaken)
}

/** Whether a call's client had gone before the call was handed over: nothing tells of its end any more. */
export function isOver(call: object): boolean {
  return isStreamOver(streamOf(call))
}

/** The connection of a call; undefined once that is over. */
export function sessionOf(call: object): Http2Session | undefined {
  return streamOf(call).session
}

function isStreamOver({ destroyed, closed, writableEnded }: ServerHttp2Stream): boolean {
  return destroyed || closed || writableEnded
}

function streamOf(call: object): ServerHttp2Stream {
  const inner: unknown = Reflect.get(call, 'call')
  const stream: unknown = typeof inner === 'object' && inner !== null ? Reflect.get(inner, 'stream') : undefined
  if (isHttp2Stream(stream)) return stream
  throw new Error('This version of @grpc/grpc-js keeps its HTTP/2 streams elsewhere: a stream cannot be reset.')
}

function isHttp2Stream(value: unknown): value is ServerHttp2Stream {
  return typeof value === 'object' && value !== null && 'rstCode' in value && 'session' in value
}

/** A message up to this size is copied to stand beside its prefix, which costs less than a write of its own. */
const copiedBytes = 4096
/** Of a larger one so much is handed over at a time: what is taken of it shows that the peer reads. */
const pieceBytes = 65_536
/** What gRPC puts before each message: whether it is compressed, and its length. */
export const messagePrefixBytes = 5

class Http2Transport implements CallTransport {
  readonly session: Http2Session
  readonly #stream: ServerHttp2Stream
  readonly #onTaken: OnTaken
  /** What of the message has not been handed over. */
  #rest: Buffer | undefined
  /** Writes that have not been answered. */
  #writes = 0

  constructor(stream: ServerHttp2Stream, session: Http2Session, onTaken: OnTaken) {
    this.#stream = stream
    this.session = session
    this.#onTaken = onTaken
  }

  send(message: Buffer): void {
    // grpc-js ends a stream by itself when the client's deadline is over.
    if (this.#stream.writableEnded) return
    if (message.length <= copiedBytes) {
      this.#write(framed(message))
      return
    }
    this.#rest = message
    this.#stream.cork()
    this.#stream.write(prefixOf(message, Buffer.allocUnsafe(messagePrefixBytes)))
    this.#writePiece(pieceBytes)
    this.#stream.uncork()
  }

  flush(): void {
    if (this.#rest !== undefined) this.#writePiece(this.#rest.length)
  }

  reset(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL)
    this.#stream.destroy()
  }

  /** Of a stream that grpc-js has ended meanwhile the rest is dropped: a write would keep it from ever ending. */
  #writePiece(bytes: number): void {
    const rest = this.#rest
    if (rest === undefined) return
    const isEnded = this.#stream.writableEnded
    this.#rest = rest.length > bytes && !isEnded ? rest.subarray(bytes) : undefined
    if (!isEnded) this.#write(rest.subarray(0, bytes))
  }

  #write(bytes: Buffer): void {
    this.#writes++
    this.#stream.write(bytes, this.#written)
  }

  /** An error is that of a stream that is over, which grpc-js tells. */
  readonly #written = (error?: Error | null): void => {
    this.#writes--
    if (error) return
    const isWhole = this.#rest === undefined && this.#writes === 0
    this.#writePiece(pieceBytes)
    this.#onTaken(isWhole)
  }
}

function framed(message: Buffer): Buffer {
  const frame = prefixOf(message, Buffer.allocUnsafe(messagePrefixBytes + message.length))
  frame.set(message, messagePrefixBytes)
  return frame
}

/** Writes it to the head of `frame`, which it gives back. */
function prefixOf({ length }: Buffer, frame: Buffer): Buffer {
  frame[0] = 0
  frame[1] = length >>> 24
  frame[2] = length >>> 16
  frame[3] = length >>> 8
  frame[4] = length
  return frame
}

/** `1.2.3.4:5` without the port: who a client is that does not say. */
export function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(':')
  return colon < 0 ? peer : peer.slice(0, colon)
}
