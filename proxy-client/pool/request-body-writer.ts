// Writes the head and the body of a request to an upstream socket: what is small or came together goes in one write, what is
// large goes as it is. One for each connection, used for one request after another.
import type { Socket } from 'node:net'
import type { BodySink, RequestBody } from '../exchange/inbound.ts'
import type { Fields } from '../http1/fields.ts'

/** Slices up to this many bytes are copied into the text that is sent with them. */
const smallBytes = 4_096
/** Payload that may wait for the socket before the client is asked to pause. Not below the socket's own mark. */
const maxWaitingBytes = 128 * 1024

/** Told how a body ended, once for each `start`, unless it was stopped before. */
export interface BodyWriterOwner {
  onBodySent(): void
  /** The client left, or broke the rules, in the middle of it. */
  onBodyCut(error: Error): void
}

export class RequestBodyWriter implements BodySink {
  /** Whether the system has taken the head and all of the body that was written before the last slice came. */
  isHeadTaken = false
  readonly #socket: Socket
  readonly #owner: BodyWriterOwner
  /** Text that was not written yet. */
  #held = ''
  #isCorked = false
  #isChunked = false
  #isPaused = false
  #isOpening = false
  #body: RequestBody | undefined

  constructor(socket: Socket, owner: BodyWriterOwner) {
    this.#socket = socket
    this.#owner = owner
    socket.on('drain', this.#onDrain)
  }

  get isDrained(): boolean {
    return this.#socket.writableLength === 0
  }

  /** The head goes with the part of the body that is there; alone when none is. */
  start(head: string, body: RequestBody): void {
    this.#held = head
    this.isHeadTaken = false
    this.#isChunked = body.length === undefined
    this.#isPaused = false
    this.#body = body
    this.#isOpening = true
    body.open(this)
    this.#isOpening = false
    // What the client sent with the head may still come within the read that brought it.
    if (this.#held !== '') queueMicrotask(this.#flush)
  }

  /** Takes no more of the body; what is held does not go out. For a connection that carries nothing afterwards. */
  stop(): void {
    const body = this.#body
    this.#body = undefined
    this.#held = ''
    body?.discard()
  }

  /** The socket belongs to somebody else. */
  dispose(): void {
    this.#socket.off('drain', this.#onDrain)
  }

  onData(slice: Buffer): boolean {
    if (this.#body === undefined) return true
    if (this.#held === '' && this.#socket.writableLength === 0) this.isHeadTaken = true
    if (this.#isChunked) this.#held += `${slice.length.toString(16)}\r\n`
    if (slice.length <= smallBytes) this.#held += slice.toString('latin1')
    else this.#writeLarge(slice)
    if (this.#isChunked) this.#held += '\r\n'
    this.#isPaused = this.#socket.writableLength >= maxWaitingBytes
    return !this.#isPaused
  }

  onEnd(trailers: Fields | undefined): void {
    if (this.#body === undefined) return
    this.#body = undefined
    if (this.#isChunked) this.#held += trailers === undefined ? '0\r\n\r\n' : `0\r\n${trailers.lines(0)}\r\n`
    this.#flush()
    this.#owner.onBodySent()
  }

  onCut(error: Error): void {
    if (this.#body === undefined) return
    this.#body = undefined
    this.#owner.onBodyCut(error)
  }

  onFlush(): void {
    if (!this.#isOpening) this.#flush()
  }

  #writeLarge(slice: Buffer): void {
    const text = this.#held
    if (text !== '') {
      if (!this.#isCorked) this.#socket.cork()
      this.#isCorked = true
      this.#held = ''
      this.#socket.write(text, 'latin1')
    }
    this.#socket.write(slice)
  }

  readonly #flush = (): void => {
    const text = this.#held
    this.#held = ''
    if (text !== '') this.#socket.write(text, 'latin1')
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#socket.uncork()
  }

  readonly #onDrain = (): void => {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#body?.resume()
  }
}
