// One HTTP/2 connection to an API server: streams up to what the server allows, and PINGs that notice a dead path.
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { connect, constants } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { type Exchange, headersOf, pathBelow, type WireRequest } from './exchange.ts'
import type { Target } from './target.ts'

/** A dead path is noticed within the sum of both: 10 seconds. */
const pingEveryMs = 5_000
const pingDeadlineMs = 5_000
/** A connection without streams is closed after so long. */
const idleMs = 30_000
/** The server's SETTINGS are waited for so long, and then its limit is taken to be the usual one. */
const settingsMs = 5_000
const windowBytes = 1 << 20
const sessionWindowBytes = 32 << 20
/** Node refuses new streams of a session that holds more, in megabytes. */
const maxSessionMemory = 256

/** The server has not looked at the request, so that it may be sent again, elsewhere. */
export class StreamRefusedError extends Error {
  override readonly name = 'StreamRefusedError'
}

/** Disposed by itself when it breaks, when idle for long, or by close. */
export class Http2Session {
  readonly #session: ClientHttp2Session
  readonly #socket: TLSSocket
  readonly #clock: Clock
  #streams = 0
  #isLeaving = false
  #cancelPing: Cancel | undefined
  #cancelIdle: Cancel | undefined

  private constructor(session: ClientHttp2Session, socket: TLSSocket, clock: Clock, onEnd: () => void) {
    this.#session = session
    this.#socket = socket
    this.#clock = clock
    session.once('goaway', () => {
      this.#isLeaving = true
    })
    session.once('close', () => {
      this.#cancelPing?.()
      this.#cancelIdle?.()
      onEnd()
    })
    this.#pingLater()
    this.#mayIdle()
  }

  /** Resolves once the server has told its limits. `onEnd` is called when no stream is left on it for ever. */
  static async open(socket: TLSSocket, target: Target, clock: Clock, onEnd: () => void): Promise<Http2Session> {
    const session = connect(target.url, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
      maxSessionMemory,
    })
    await toldSettings(session, clock)
    session.setLocalWindowSize(sessionWindowBytes)
    return new Http2Session(session, socket, clock, onEnd)
  }

  /** False from the server's GOAWAY on: what is under way may end, nothing begins. */
  get hasRoom(): boolean {
    const { closed, destroyed, remoteSettings } = this.#session
    if (this.#isLeaving || closed || destroyed) return false
    return this.#streams < (remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY)
  }

  /** Rejects with StreamRefusedError when the server took no notice of the request. */
  request(target: Target, request: WireRequest, signal: AbortSignal): Promise<Exchange> {
    return new Promise((resolve, reject) => {
      const stream = this.#start(target, request, signal)
      this.#streams++
      this.#cancelIdle?.()
      stream.once('close', () => {
        this.#streams--
        this.#mayIdle()
        reject(new Error('the stream was closed before an answer came'))
      })
      stream.on('error', error => {
        const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM
        reject(isRefused ? new StreamRefusedError(error.message, { cause: error }) : error)
      })
      stream.once('response', headers =>
        resolve({
          status: Number(headers[':status']),
          headers,
          body: stream,
          checkWhole: () => checkWhole(stream),
          isPathChecked: true,
        }),
      )
    })
  }

  close(error?: Error): void {
    this.#session.destroy(error)
  }

  #start(target: Target, request: WireRequest, signal: AbortSignal): ClientHttp2Stream {
    const { method = 'GET', path, body } = request
    const headers = { ':method': method, ':path': pathBelow(target, path), ...headersOf(target, request) }
    const stream = this.#session.request(headers, { signal, endStream: body === undefined })
    if (body !== undefined) stream.end(body.bytes)
    return stream
  }

  #mayIdle(): void {
    if (this.#streams > 0 || this.#session.destroyed) return
    this.#cancelIdle = this.#clock.after(idleMs, () => this.#session.close())
  }

  #pingLater(): void {
    this.#cancelPing = this.#clock.after(pingEveryMs, () => this.#ping())
  }

  #ping(): void {
    if (this.#session.destroyed) return
    const sent = this.#session.ping(error => {
      this.#cancelPing?.()
      if (error === null) this.#pingLater()
    })
    if (!sent) {
      this.close(new Error('no PING could be sent'))
      return
    }
    this.#awaitAnswer(this.#socket.bytesRead)
  }

  /** Bytes count as an answer to come: on a busy path it stands in line behind them. */
  #awaitAnswer(bytesRead: number): void {
    // One more turn after the deadline: an answer that came while the process stood still must have its chance first.
    this.#cancelPing = this.#clock.after(pingDeadlineMs, () => {
      this.#cancelPing = this.#clock.defer(() => {
        if (this.#socket.bytesRead > bytesRead) this.#awaitAnswer(this.#socket.bytesRead)
        else this.close(new Error('the path is dead: no answer to a PING'))
      })
    })
  }
}

/** To Node a connection that was closed midway, or a stream that was cancelled, is as good an end as any other. */
function checkWhole({ rstCode }: ClientHttp2Stream): void {
  if (rstCode !== constants.NGHTTP2_NO_ERROR) throw new Error('the connection was closed before the answer ended')
}

function toldSettings(session: ClientHttp2Session, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(settingsMs, resolve)
    session.once('remoteSettings', () => {
      cancel()
      resolve()
    })
    session.on('error', error => {
      cancel()
      reject(error)
    })
    session.once('close', () => reject(new Error('the connection was closed before its settings came')))
  })
}
