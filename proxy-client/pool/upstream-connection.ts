// One connection to an endpoint: it is opened, then carries one exchange at a time until it closes. Does not know which
// requests wait, nor what a response means.
import type { Socket } from 'node:net'
import { Field, type Fields } from '../http1/fields.ts'
import type { HeadLimits, MessageProblem, MessageSink, ResponseHead, ResponseReader } from '../http1/message.ts'
import { createResponseReader } from '../http1/response-reader.ts'
import type { Timeout } from '../timeout/timeout-queue.ts'
import type { Exchange, ExchangeHolder } from './exchange.ts'
import type { Linked, LinkedList } from './linked-list.ts'
import type { PoolTimeouts } from './pool-timeouts.ts'
import { ReadMemory } from './read-memory.ts'
import { type BodyWriterOwner, RequestBodyWriter } from './request-body-writer.ts'
import { maySwitch, requestHeadText } from './request-framing.ts'
import type { UpstreamFailure } from './upstream.ts'
import type { OpenSocket } from './upstream-socket.ts'

/** The pool that a connection belongs to. */
export interface ConnectionOwner {
  /** It is open: it takes an exchange now. */
  onOpen(connection: UpstreamConnection): void
  /** Its response is whole: it takes another exchange now. */
  onFree(connection: UpstreamConnection): void
  /** It never opened. */
  onRefused(connection: UpstreamConnection, error: Error): void
  /** It is gone, or belongs to another protocol; called once unless it was refused. */
  onClosed(connection: UpstreamConnection): void
  /** It has stood idle for as long as it may. */
  onIdleTooLong(connection: UpstreamConnection): void
}

export interface ConnectionOptions {
  readonly owner: ConnectionOwner
  readonly limits: HeadLimits
  readonly timeouts: PoolTimeouts
  /** Told of an error of our own; the connection is cut. */
  readonly onCrash: (error: unknown) => void
  readonly open: OpenSocket
  /** Whether the socket may be handed to another protocol, and so is read as an ordinary stream. */
  readonly isPlain: boolean
}

type Phase = 'connecting' | 'idle' | 'busy' | 'closed'

export class UpstreamConnection
  implements MessageSink<ResponseHead>, ExchangeHolder, BodyWriterOwner, Linked<UpstreamConnection>
{
  list: LinkedList<UpstreamConnection> | undefined
  before: UpstreamConnection | undefined
  after: UpstreamConnection | undefined
  readonly isPlain: boolean
  /** Of the clock's `monotonic`: from then on the upstream may close it at any moment. For its owner to set when it rests. */
  expiresAt = Number.POSITIVE_INFINITY
  readonly #owner: ConnectionOwner
  readonly #onCrash: (error: unknown) => void
  readonly #reader: ResponseReader
  readonly #memory: ReadMemory | undefined
  readonly #socket: Socket
  readonly #connectTimeout: Timeout
  readonly #idleTimeout: Timeout
  readonly #lifeTimeout: Timeout | undefined
  #writer: RequestBodyWriter | undefined
  #phase: Phase = 'connecting'
  #exchange: Exchange | undefined
  /** Whether it has carried a request, or stood open without one, so that the upstream may have closed it meanwhile. */
  #isKept = false
  #isOld = false
  #isAnswered = false
  #isWhole = false
  #isReusable = false
  #isBodySent = true
  #isPaused = false
  #keepMs = Number.POSITIVE_INFINITY
  #trailers: Fields | undefined
  #tunnel: ResponseHead | undefined

  constructor({ owner, limits, timeouts, onCrash, open, isPlain }: ConnectionOptions) {
    this.list = undefined
    this.before = undefined
    this.after = undefined
    this.isPlain = isPlain
    this.#owner = owner
    this.#onCrash = onCrash
    this.#reader = createResponseReader(limits, this)
    const { ms } = timeouts.connect
    this.#connectTimeout = timeouts.connect.create(() =>
      this.#refuse(new Error(`no connection within ${ms} ms (connectTimeoutMs)`)),
    )
    this.#idleTimeout = timeouts.idle.create(this.#onIdleTimeout)
    this.#lifeTimeout = timeouts.life?.create(this.#onLifeTimeout)
    this.#memory = isPlain ? undefined : new ReadMemory()
    const onread = this.#memory && { buffer: this.#memory.next, callback: (bytes: number) => this.#onRead(bytes) }
    this.#socket = open(onread, () => this.#exchange?.request.body !== undefined && this.#writer?.isHeadTaken === true)
    if (isPlain) this.#socket.on('data', this.#onChunk)
    this.#socket.on('connect', this.#onConnect).on('end', this.#onEof).on('error', this.#onError)
    this.#connectTimeout.start()
  }

  /** For how long the upstream keeps it when it rests, as far as it has said so. */
  get keepMs(): number {
    return this.#keepMs
  }

  /** Takes an exchange; only when free. */
  carry(exchange: Exchange): void {
    const { request } = exchange
    this.#idleTimeout.stop()
    this.#phase = 'busy'
    this.#exchange = exchange
    exchange.holder = this
    this.#isAnswered = false
    this.#isWhole = false
    this.#isReusable = false
    this.#trailers = undefined
    this.#reader.expect(request.method)
    const head = requestHeadText(request)
    if (request.body === undefined) {
      this.#socket.write(head, 'latin1')
      return
    }
    this.#isBodySent = false
    this.#writer ??= new RequestBodyWriter(this.#socket, this)
    this.#writer.start(head, request.body)
  }

  /** Stays open without an exchange. */
  rest(): void {
    this.#isKept = true
    this.#idleTimeout.start()
  }

  /** Closes it when it carries nothing, else it fails what it carries. Harmless when it is closed. */
  destroy(reason: Error): void {
    if (this.#phase === 'closed') return
    if (this.#phase === 'connecting') this.#refuse(reason)
    else if (this.#exchange === undefined) this.#close()
    else this.#fail(this.#isAnswered ? 'broken' : 'unanswered', reason)
  }

  abort(exchange: Exchange): void {
    if (exchange !== this.#exchange) return
    this.#detach(exchange)
    this.#close()
  }

  resume(exchange: Exchange): void {
    if (exchange === this.#exchange) this.#unpause()
  }

  onBodySent(): void {
    this.#isBodySent = true
  }

  onBodyCut(error: Error): void {
    this.#fail('bodyCut', error)
  }

  onInterim(head: ResponseHead): void {
    this.#exchange?.handler.onInterim(head)
  }

  onHead(head: ResponseHead): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    if (head.framing.kind === 'tunnel') this.#expectTunnel(exchange, head)
    else if (this.#isIdleGoodbye(exchange, head)) this.#fail('unanswered', new Error('closed for being idle'))
    else this.#begin(exchange, head)
  }

  onData(slice: Buffer): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const takesMore = exchange.handler.onData(this.#memory === undefined ? slice : this.#memory.lasting(slice))
    if (takesMore || this.#isPaused || exchange !== this.#exchange) return
    this.#isPaused = true
    this.#socket.pause()
  }

  onEnd(trailers: Fields | undefined): void {
    this.#isWhole = true
    this.#trailers = trailers
  }

  onProblem({ kind, message }: MessageProblem): void {
    const error = new Error(message)
    if (kind === 'cut') this.#fail(this.#isAnswered ? 'broken' : 'unanswered', error)
    else this.#fail('malformed', error)
  }

  #begin(exchange: Exchange, head: ResponseHead): void {
    this.#isAnswered = true
    this.#isReusable = head.isPersistent
    if ((head.fields.present & Field.keepAlive) !== 0) this.#keepMs = usableMs(head.fields)
    exchange.handler.onResponse(head)
    // An upstream that refuses and closes does not want the rest of the body (RFC 9112, 9.5).
    if (!this.#isBodySent && !head.isPersistent && head.status >= 400) this.#writer?.stop()
  }

  #expectTunnel({ request }: Exchange, head: ResponseHead): void {
    if (maySwitch(request, head) && this.#isBodySent && this.isPlain) this.#tunnel = head
    else this.#fail('malformed', new Error('changed to a protocol that was not asked for'))
  }

  /** Some upstreams say 408 before they close a connection that stood idle; it answers nothing that we have asked. */
  #isIdleGoodbye({ request }: Exchange, head: ResponseHead): boolean {
    return head.status === 408 && this.#isKept && !head.isPersistent && request.body === undefined
  }

  readonly #onConnect = (): void => {
    if (this.#phase !== 'connecting') return
    this.#connectTimeout.stop()
    this.#lifeTimeout?.start()
    this.#phase = 'idle'
    try {
      this.#owner.onOpen(this)
    } catch (error) {
      this.#crash(error)
    }
  }

  /** An error of our own costs this connection and no other. */
  #crash(error: unknown): void {
    this.#onCrash(error)
    this.destroy(new Error('an error of the proxy itself', { cause: error }))
  }

  #onRead(bytes: number): boolean {
    const memory = this.#memory
    if (memory === undefined) return true
    const exchange = this.#exchange
    this.#onChunk(memory.chunk(bytes))
    const isInMessage = exchange !== undefined && exchange === this.#exchange
    memory.settle(bytes, isInMessage, exchange?.handler)
    return true
  }

  readonly #onChunk = (chunk: Buffer): void => {
    try {
      this.#read(chunk)
    } catch (error) {
      this.#crash(error)
    }
  }

  #read(chunk: Buffer): void {
    const exchange = this.#exchange
    if (exchange === undefined) {
      // Nobody has asked for anything.
      this.#close()
      return
    }
    const end = this.#reader.read(chunk, 0)
    if (exchange !== this.#exchange) return
    if (this.#tunnel !== undefined) this.#handOver(exchange, this.#tunnel, chunk.subarray(end))
    else if (this.#isWhole) this.#finish(exchange, end === chunk.length)
    else exchange.handler.onFlush()
  }

  readonly #onEof = (): void => {
    try {
      this.#end()
    } catch (error) {
      this.#crash(error)
    }
  }

  #end(): void {
    if (this.#phase === 'connecting') return
    const exchange = this.#exchange
    if (exchange === undefined) {
      this.#close()
      return
    }
    this.#reader.finish()
    if (exchange !== this.#exchange) return
    if (this.#isWhole) this.#finish(exchange, false)
    else this.#fail('unanswered', new Error('closed without an answer'))
  }

  readonly #onError = (error: Error): void => {
    this.destroy(error)
  }

  readonly #onIdleTimeout = (): void => {
    this.#owner.onIdleTooLong(this)
  }

  readonly #onLifeTimeout = (): void => {
    this.#isOld = true
    if (this.#phase === 'idle') this.#close()
  }

  /** The connection is free before the handler hears of the end, so that what it sends next finds it. */
  #finish(exchange: Exchange, isExact: boolean): void {
    const trailers = this.#trailers
    const isReusable = isExact && this.#isReusable && this.#isBodySent && !this.#isOld
    this.#detach(exchange)
    if (isReusable) this.#free()
    else this.#close()
    exchange.handler.onEnd(trailers)
  }

  #free(): void {
    this.#phase = 'idle'
    this.#isKept = true
    this.#unpause()
    this.#owner.onFree(this)
  }

  #fail(kind: UpstreamFailure['kind'], error: Error): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    const isFresh = !this.#isKept
    this.#detach(exchange)
    this.#close()
    exchange.handler.onFailure({ kind, error, isFresh })
  }

  #handOver(exchange: Exchange, head: ResponseHead, early: Buffer): void {
    const socket = this.#socket
    socket.pause()
    socket
      .off('data', this.#onChunk)
      .off('connect', this.#onConnect)
      .off('end', this.#onEof)
      .off('error', this.#onError)
    this.#writer?.dispose()
    this.#detach(exchange)
    this.#leave()
    exchange.handler.onTunnel(head, socket, early)
  }

  #detach(exchange: Exchange): void {
    exchange.holder = undefined
    this.#exchange = undefined
    if (!this.#isBodySent) this.#writer?.stop()
  }

  #unpause(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#socket.resume()
  }

  #refuse(error: Error): void {
    this.#phase = 'closed'
    this.#connectTimeout.stop()
    this.#socket.destroy()
    this.#owner.onRefused(this, error)
  }

  #close(): void {
    if (this.#phase === 'closed') return
    this.#socket.destroy()
    this.#leave()
  }

  #leave(): void {
    this.#phase = 'closed'
    this.#idleTimeout.stop()
    this.#lifeTimeout?.stop()
    this.#owner.onClosed(this)
  }
}

/** At most so long before an upstream closes a resting connection no request is sent on it: the two would cross. */
const crossingMs = 1_000

/** What `Keep-Alive: timeout=5` leaves us. */
function usableMs(fields: Fields): number {
  const seconds = /(?:^|[,\s])timeout=([0-9]{1,9})(?:$|[,\s])/i.exec(fields.first('keep-alive') ?? '')?.[1]
  if (seconds === undefined) return Number.POSITIVE_INFINITY
  const ms = Number(seconds) * 1_000
  return ms - Math.min(crossingMs, ms / 2)
}
