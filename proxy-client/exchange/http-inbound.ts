// One request of a client's connection with its response: composes the response's head and frames its body (RFC 9112, 6 and 7).
// A new one for each request, and inert once the response is over, so that a late call can never reach another response.
import type { Socket } from 'node:net'
import type { Framing, RequestHead } from '../http1/message.ts'
import type { ClientBody } from './client-body.ts'
import type { Inbound, Peer, ResponseSink } from './inbound.ts'
import type { NormalTarget } from './request-target.ts'

/** The connection that a request came by. */
export interface InboundHost {
  readonly socket: Socket
  readonly peer: Peer
  /** The response begins: tells whether the connection may carry another request after it. */
  responseBegins(): boolean
  /** An interim response is about to be written. */
  interimBegins(): void
  /** The response was handed over; the connection's writing side is ended unless it persists. */
  responseEnded(isPersistent: boolean): void
  /** The socket is full. */
  writeBlocked(): void
  /** Lets go of the socket; undefined when a part of the request is still to come. */
  detach(): Buffer | undefined
}

/** How the body of a response goes out. */
const Mode = { none: 0, length: 1, chunked: 2, close: 3 } as const

/** Slices up to that many bytes are copied to go out in one write with what is held back; larger ones are never copied. */
const smallBytes = 4_096
/** No more text than that is held back. */
const maxHeldChars = 16_384
/** What may wait for a flush before a pause is asked for: about what one read brings. */
const maxCorkedBytes = 131_072

/** See `Inbound` and `ResponseSink`. Made by its connection. */
export class HttpInbound implements Inbound, ResponseSink {
  readonly head: RequestHead
  readonly method: string
  readonly target: string
  readonly body: ClientBody | undefined
  readonly startedAt: number
  isAbandoned = false
  isStarted = false
  bytesOut = 0
  /** Whether the client was told to go on: by `100`, and by no other interim response. */
  isContinued = false
  /** Undefined once the response is over. */
  #host: InboundHost | undefined
  readonly #socket: Socket
  readonly #peer: Peer
  readonly #authority: string | undefined
  #mode: number = Mode.none
  #length = 0
  #isPersistent = true
  #isCorked = false
  #held = ''
  #abandon: (() => void) | undefined
  #drain: (() => void) | undefined
  #close: (() => void) | undefined

  constructor(
    host: InboundHost,
    head: RequestHead,
    body: ClientBody | undefined,
    startedAt: number,
    normal: NormalTarget | undefined,
  ) {
    this.#host = host
    this.#socket = host.socket
    this.#peer = host.peer
    this.head = head
    this.method = head.method
    this.target = normal === undefined ? head.target : normal.target
    this.#authority = normal === undefined ? undefined : normal.authority
    this.body = body
    this.startedAt = startedAt
  }

  get host(): string | undefined {
    return this.#authority ?? this.head.fields.first('host')
  }

  get peer(): Peer {
    return this.#peer
  }

  get response(): ResponseSink {
    return this
  }

  get isDrained(): boolean {
    return this.#socket.writableLength === 0
  }

  get bytesIn(): number {
    return this.body === undefined ? 0 : this.body.received
  }

  onAbandon(run: () => void): void {
    this.#abandon = run
  }

  onDrain(run: () => void): void {
    this.#drain = run
  }

  onClose(run: () => void): void {
    this.#close = run
  }

  interim(status: number, reason: string, lines: string): void {
    const host = this.#host
    if (host === undefined || this.isStarted || this.head.minor === 0) return
    if (status === 100) this.isContinued = true
    host.interimBegins()
    host.socket.write(`HTTP/1.1 ${status} ${reason}\r\n${lines}\r\n`, 'latin1')
  }

  start(status: number, reason: string, lines: string, framing: Framing): void {
    const host = this.#host
    if (host === undefined || this.isStarted) return
    this.isStarted = true
    this.#isPersistent = host.responseBegins()
    this.#held = `HTTP/1.1 ${status} ${reason}\r\n${lines}${this.#framingLine(status, framing)}${this.#connectionLine()}\r\n`
  }

  write(slice: Buffer): boolean {
    const host = this.#host
    if (host === undefined || this.#mode === Mode.none) return true
    this.bytesOut += slice.length
    if (this.#mode === Mode.length && this.bytesOut > this.#length) {
      this.cut()
      return true
    }
    if (this.#mode === Mode.chunked) this.#held += `${slice.length.toString(16)}\r\n`
    if (slice.length <= smallBytes && this.#held.length + slice.length <= maxHeldChars) {
      this.#held += slice.toString('latin1')
      if (this.#mode === Mode.chunked) this.#held += '\r\n'
      return true
    }
    return this.#writeLarge(host, slice)
  }

  flush(): void {
    const host = this.#host
    if (host === undefined) return
    if (this.#held !== '') {
      host.socket.write(this.#held, 'latin1')
      this.#held = ''
    }
    if (this.#isCorked) this.#uncork(host.socket)
  }

  end(trailerLines = ''): void {
    const host = this.#host
    if (host === undefined) return
    if (!this.isStarted || (this.#mode === Mode.length && this.bytesOut !== this.#length)) {
      this.cut()
      return
    }
    const held = this.#mode === Mode.chunked ? `${this.#held}0\r\n${trailerLines}\r\n` : this.#held
    if (!this.#isPersistent) host.socket.end(held, 'latin1')
    else if (held !== '') host.socket.write(held, 'latin1')
    if (this.#isCorked) this.#uncork(host.socket)
    this.#over()
    host.responseEnded(this.#isPersistent)
  }

  cut(): void {
    const host = this.#host
    if (host === undefined) return
    // Where the connection's end is the body's, only a reset tells that it is not whole.
    if (this.#mode === Mode.close) host.socket.resetAndDestroy()
    else host.socket.destroy()
    this.#over()
  }

  tunnel(
    status: number,
    reason: string,
    lines: string,
  ): { readonly socket: Socket; readonly early: Buffer } | undefined {
    const host = this.#host
    if (host === undefined || this.isStarted) return undefined
    const early = host.detach()
    if (early === undefined) return undefined
    this.isStarted = true
    const { socket } = host
    host.interimBegins()
    const connection = status === 101 ? 'Connection: upgrade\r\n' : ''
    socket.write(`HTTP/1.1 ${status} ${reason}\r\n${lines}${connection}\r\n`, 'latin1')
    this.#host = undefined
    socket.once('close', () => this.#over())
    return { socket, early }
  }

  /** From the connection: the client has left, or its request cannot be read to its end. */
  abandon(why: string): void {
    if (this.#host === undefined) return
    this.#host = undefined
    this.isAbandoned = true
    this.#abandon?.()
    this.body?.cut(new Error(why))
    this.#over()
  }

  /** From the connection: the socket takes more. */
  drained(): void {
    this.#drain?.()
  }

  #writeLarge(host: InboundHost, slice: Buffer): boolean {
    const { socket } = host
    if (this.#held !== '') {
      if (!this.#isCorked) {
        this.#isCorked = true
        socket.cork()
      }
      socket.write(this.#held, 'latin1')
    }
    this.#held = this.#mode === Mode.chunked ? '\r\n' : ''
    // A slice above the socket's mark counts as too much, also when the system has taken all of it or has not been asked yet.
    const hasRoom = socket.write(slice) || socket.writableLength <= (this.#isCorked ? maxCorkedBytes : 0)
    if (!hasRoom) host.writeBlocked()
    return hasRoom
  }

  #uncork(socket: Socket): void {
    this.#isCorked = false
    socket.uncork()
  }

  /** Chooses how the body goes out. A client of HTTP/1.0 cannot read chunks: the connection's end is the body's. */
  #framingLine(status: number, framing: Framing): string {
    if (this.method === 'HEAD' || status === 204 || status === 304) {
      return framing.kind === 'length' && status !== 204 ? `Content-Length: ${framing.bytes}\r\n` : ''
    }
    if (framing.kind === 'length' || framing.kind === 'none') {
      this.#mode = Mode.length
      this.#length = framing.kind === 'length' ? framing.bytes : 0
      return `Content-Length: ${this.#length}\r\n`
    }
    if (this.head.minor === 0) {
      this.#mode = Mode.close
      this.#isPersistent = false
      return ''
    }
    this.#mode = Mode.chunked
    return 'Transfer-Encoding: chunked\r\n'
  }

  #connectionLine(): string {
    if (!this.#isPersistent) return 'Connection: close\r\n'
    return this.head.minor === 0 ? 'Connection: keep-alive\r\n' : ''
  }

  #over(): void {
    this.#host = undefined
    this.#held = ''
    const close = this.#close
    this.#close = undefined
    this.#abandon = undefined
    this.#drain = undefined
    close?.()
  }
}
