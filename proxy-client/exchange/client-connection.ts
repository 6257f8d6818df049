// A client's connection: reads its requests one at a time, and closes it when time, the client or the listener says so.
// Knows nothing of where a request goes.
import type { Socket } from 'node:net'
import { answerOf, badRequest, noRoom, type ProxyFailure, tooSlow } from '../failure.ts'
import type { Fields } from '../http1/fields.ts'
import type { MessageProblem, MessageSink, RequestHead } from '../http1/message.ts'
import { type BodySource, ClientBody } from './client-body.ts'
import type { ConnectionContext } from './connection-context.ts'
import { HttpInbound, type InboundHost } from './http-inbound.ts'
import type { Peer } from './inbound.ts'
import { Patience, type Waiting } from './patience.ts'
import type { LentReader } from './reader-pool.ts'
import { failureOf, refusalOf } from './refusal.ts'
import { normaliseTarget } from './request-target.ts'

/** serving: takes requests; lingering: has said its last word and reads until the client has seen it; tunnel: given away. */
type State = 'serving' | 'lingering' | 'tunnel' | 'closed'

/** Bytes of a body that nobody wants, which are read so that the connection can carry on. */
const maxUnwantedBytes = 262_144

const slash = 0x2f
const nothing = Buffer.alloc(0)

const unusableTarget = badRequest(
  'protocol',
  'the request target is neither a path nor an http URI without credentials',
)
const slowHead = tooSlow('protocol', 'the head of the request did not come in time')
const slowBody = tooSlow('protocol', 'the body of the request stopped coming')
const overload = noRoom('overload', 'as many requests as maxConcurrentRequests are in progress')

/** Made for each accepted socket, which allows half-open connections. */
export class ClientConnection implements MessageSink<RequestHead>, InboundHost, BodySource, Waiting {
  readonly socket: Socket
  readonly #context: ConnectionContext
  readonly #patience: Patience
  /** While the connection is not idle. */
  #lent: LentReader | undefined
  #state: State = 'serving'
  #peer: Peer | undefined
  /** The request whose response is not over. */
  #inbound: HttpInbound | undefined
  /** The body of the request that came last. */
  #body: ClientBody | undefined
  /** A head among the bytes being read, not handed on yet. */
  #head: RequestHead | undefined
  #problem: MessageProblem | undefined
  /** Whether a request's head has come, and the reader was not made ready for the next since. */
  #hasRequest = false
  /** Whether a request's head has come and its end has not. */
  #isReceiving = false
  #isFeeding = false
  #isPaused = false
  /** Bytes behind the request in progress. */
  #ahead: Buffer | undefined
  /** Whether the socket has to drain before another request is read. */
  #isBlocked = false
  /** Whether the client has ended its side. */
  #isEnded = false
  /** Whether no further request is taken. */
  #isLast = false
  #unwantedBytes = 0

  constructor(socket: Socket, context: ConnectionContext, onClose: (connection: ClientConnection) => void) {
    this.socket = socket
    this.#context = context
    this.#patience = new Patience(this, context)
    this.#patience.awaitHead()
    const life = context.life?.create(() => this.drain())
    life?.start()
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('drain', this.#onDrain)
    // What an error means is told by the close that follows it.
    socket.on('error', ignore)
    socket.on('close', () => {
      life?.stop()
      this.#onClose()
      onClose(this)
    })
  }

  get peer(): Peer {
    this.#peer ??= peerOf(this.socket)
    return this.#peer
  }

  /** Takes no further request; closes at once when none is in progress. */
  drain(): void {
    this.#isLast = true
    if (this.#state !== 'serving' || this.#isFeeding || !this.#isIdle()) return
    if (this.socket.writableLength > 0) this.#linger()
    else this.destroy()
  }

  /** Cuts whatever is in progress. */
  destroy(): void {
    this.socket.destroy()
  }

  // From the reader, within `read` and `finish`.

  onHead(head: RequestHead): void {
    const { framing } = head
    this.#head = head
    this.#hasRequest = true
    this.#isReceiving = true
    if (framing.kind === 'length') this.#body = new ClientBody(framing.bytes, this)
    else if (framing.kind === 'chunked') this.#body = new ClientBody(undefined, this)
    else this.#body = undefined
  }

  onInterim(): void {}

  onData(slice: Buffer): void {
    const body = this.#body
    if (body?.isDiscarded === true) this.#unwantedBytes += slice.length
    body?.push(slice)
  }

  onEnd(trailers: Fields | undefined): void {
    this.#isReceiving = false
    this.#body?.finish(trailers)
  }

  onProblem(problem: MessageProblem): void {
    this.#problem = problem
  }

  // From the body.

  bodyWanted(): void {
    if (this.#state !== 'serving' || this.#isFeeding) return
    this.#flow()
    this.#patience.awaitProgress()
  }

  bodyDiscarded(): void {
    this.bodyWanted()
  }

  // From the response.

  /** What follows a request to change protocols may be no HTTP, and nothing follows the end of the client's side. */
  responseBegins(): boolean {
    this.#patience.responseBegins()
    const inbound = this.#inbound
    if (inbound === undefined || this.#isLast || !inbound.head.isPersistent || inbound.method === 'CONNECT')
      return false
    if (this.#ahead === undefined ? this.#isEnded : inbound.head.upgrade !== undefined) return false
    if (!this.#isReceiving) return true
    // A client that was never told to go on may send its body or not (RFC 9110, 10.1.1).
    if (inbound.head.expectsContinue && !inbound.isContinued && inbound.bytesIn === 0) return false
    return this.#body?.isDiscarded !== true || this.#isRestAcceptable()
  }

  interimBegins(): void {
    this.#patience.responseBegins()
  }

  writeBlocked(): void {
    this.#patience.awaitProgress()
  }

  responseEnded(isPersistent: boolean): void {
    this.#release()
    const goesOn = isPersistent && !this.#isLast && (!this.#isReceiving || this.#isRestAcceptable())
    if (!goesOn) this.#linger()
    else if (this.#isReceiving) this.#body?.discard()
    else if (!this.#isFeeding) this.#proceed()
  }

  detach(): Buffer | undefined {
    if (this.#isReceiving || this.#state !== 'serving') return undefined
    const early = this.#ahead ?? nothing
    this.#state = 'tunnel'
    this.#ahead = undefined
    this.#patience.stop()
    this.socket.pause()
    this.socket.off('data', this.#onData).off('end', this.#onEnd).off('drain', this.#onDrain)
    return early
  }

  // From its patience.

  get isAwaited(): boolean {
    if (this.#state === 'lingering') return this.socket.writableLength > 0
    return (this.#isReceiving && !this.#isPaused) || isFull(this.socket)
  }

  get progress(): number {
    const { bytesRead, writableLength } = this.socket
    return this.#state === 'lingering' ? -writableLength : bytesRead + (this.#inbound?.bytesOut ?? 0) - writableLength
  }

  stalled(): void {
    if (isFull(this.socket) || this.#inbound === undefined) this.destroy()
    else this.#giveUp(slowBody)
  }

  headIsLate(): void {
    if (this.#isInMessage()) this.#giveUp(slowHead)
    else this.destroy()
  }

  // From the socket.

  readonly #onData = (chunk: Buffer): void => {
    try {
      if (this.#state === 'serving') this.#feed(chunk)
    } catch (error) {
      this.#crash(error)
    }
  }

  readonly #onEnd = (): void => {
    try {
      this.#end()
    } catch (error) {
      this.#crash(error)
    }
  }

  readonly #onDrain = (): void => {
    try {
      this.#drained()
    } catch (error) {
      this.#crash(error)
    }
  }

  /** An error of our own costs this connection and no other. */
  #crash(error: unknown): void {
    this.#context.onCrash(error)
    this.destroy()
  }

  #end(): void {
    this.#isEnded = true
    if (this.#state !== 'serving' || this.#ahead !== undefined) return
    this.#lent?.reader.finish()
    if (this.#problem !== undefined) this.#refuse(this.#problem)
    else if (this.#inbound === undefined) this.#linger()
    else this.#patience.clientEnded(this.#inbound)
  }

  #drained(): void {
    if (this.#state !== 'serving') return
    if (this.#inbound !== undefined) this.#inbound.drained()
    else if (this.#isBlocked) this.#proceed()
  }

  #onClose(): void {
    const isTunnel = this.#state === 'tunnel'
    this.#state = 'closed'
    this.#patience.stop()
    if (!isTunnel) this.#inbound?.abandon('the client left')
    this.#release()
  }

  /** Reads bytes, and hands on each request that begins in them as soon as the one before is over. */
  #feed(chunk: Buffer): void {
    this.#isFeeding = true
    this.#lent ??= this.#context.readers.take(this)
    const { reader } = this.#lent
    let at = 0
    while (at < chunk.length && this.#state === 'serving' && this.#takesBytes()) {
      this.#ahead = undefined
      at = reader.read(chunk, at)
      if (this.#problem !== undefined) break
      if (at < chunk.length) this.#ahead = chunk.subarray(at)
      if (this.#head !== undefined) this.#begin(this.#head)
      else this.#body?.flush()
      if (!this.#isReceiving && this.#inbound === undefined && this.#hasRequest) this.#next()
    }
    this.#isFeeding = false
    if (this.#state !== 'serving') return
    if (this.#problem !== undefined) {
      this.#refuse(this.#problem)
      return
    }
    if (at === 0) this.#ahead = chunk
    this.#settle()
  }

  /** Whether the reader may go on: within a request, or when the one before is over. */
  #takesBytes(): boolean {
    return this.#isReceiving || (this.#inbound === undefined && !this.#isBlocked)
  }

  /** A head has come: routes its request, or refuses it. */
  #begin(head: RequestHead): void {
    const context = this.#context
    this.#head = undefined
    this.#patience.requestBegins()
    const isPath = head.target.charCodeAt(0) === slash
    const normal = isPath ? undefined : normaliseTarget(head.method, head.target)
    if (!isPath && normal === undefined) {
      this.#giveUp(unusableTarget, head.method === 'HEAD')
      return
    }
    const inbound = new HttpInbound(this, head, this.#body, context.clock.monotonic(), normal)
    this.#inbound = inbound
    if (++context.requests > context.maxRequests) this.#turnAway(inbound)
    else context.handle(inbound)
  }

  /** A request and its response are over: goes on with what has come already. */
  #proceed(): void {
    this.#next()
    const ahead = this.#ahead
    if (ahead !== undefined && !this.#isBlocked) {
      this.#ahead = undefined
      this.#feed(ahead)
    } else this.#settle()
    if (this.#isEnded) this.#end()
  }

  /** Makes ready for another request, once the socket has room for its response. */
  #next(): void {
    this.#isBlocked = isFull(this.socket)
    if (this.#isBlocked) return
    this.#hasRequest = false
    this.#body = undefined
    this.#unwantedBytes = 0
    this.#lent?.reader.next()
  }

  /** After all that has come was dealt with: waits for the client in the right way. */
  #settle(): void {
    if (this.#isReceiving && this.#inbound === undefined && !this.#isRestAcceptable()) {
      this.#linger()
      return
    }
    this.#flow()
    if (this.#isReceiving || this.#isBlocked) this.#patience.awaitProgress()
    else if (this.#inbound !== undefined || this.#ahead !== undefined) return
    else if (this.#isInMessage()) this.#patience.awaitHead()
    else if (this.#isLast) this.#linger()
    else if (!this.#patience.awaitsHead) this.#rest()
  }

  /** Lets the socket flow as long as there is somebody for what it brings. */
  #flow(): void {
    const stands = this.#isReceiving
      ? this.#body?.isStanding === true || !this.#isRestAcceptable()
      : this.#ahead !== undefined || this.#isBlocked
    if (stands === this.#isPaused) return
    this.#isPaused = stands
    if (stands) this.socket.pause()
    else this.socket.resume()
  }

  /** Whether what is left of a body that nobody wants is little enough to be read, for the connection's sake. */
  #isRestAcceptable(): boolean {
    const body = this.#body
    if (body === undefined || body.length === undefined) return this.#unwantedBytes <= maxUnwantedBytes
    return !body.isDiscarded || this.#unwantedBytes + body.length - body.received <= maxUnwantedBytes
  }

  /** Nothing is to be done until another request comes; an empty line before one is not a part of it, and gains no time. */
  #rest(): void {
    if (this.#patience.isResting) return
    this.#patience.rest()
    if (this.#lent !== undefined) this.#context.readers.give(this.#lent)
    this.#lent = undefined
  }

  #isInMessage(): boolean {
    return this.#lent?.reader.isInMessage === true
  }

  #isIdle(): boolean {
    return this.#inbound === undefined && this.#ahead === undefined && !this.#isInMessage()
  }

  #turnAway(inbound: HttpInbound): void {
    this.#context.onRefused(overload)
    const { status, reason, lines, body } = answerOf(overload, this.#context.clock.now())
    inbound.body?.discard()
    inbound.start(status, reason, lines, { kind: 'length', bytes: body.length })
    inbound.write(body)
    inbound.end()
  }

  /** Nothing more can be read. */
  #refuse(problem: MessageProblem): void {
    this.#giveUp(failureOf(problem), problem.isOfHead)
  }

  /** Answers with a failure where that can still be understood, and closes. */
  #giveUp(failure: ProxyFailure | undefined, isOfHead = (this.#inbound ?? this.#head)?.method === 'HEAD'): void {
    const inbound = this.#inbound
    const isAnswerable = failure !== undefined && (inbound === undefined ? !this.#isAnswered() : !inbound.isStarted)
    inbound?.abandon(failure?.message ?? 'the client left in the middle of its request')
    this.#release()
    if (!isAnswerable) {
      this.destroy()
      return
    }
    this.#context.onRefused(failure)
    this.#patience.responseBegins()
    this.socket.end(refusalOf(failure, isOfHead, this.#context.clock.now()))
    this.#linger()
  }

  /** Whether the request that is being read has had its answer. */
  #isAnswered(): boolean {
    return this.#body?.isDiscarded === true
  }

  /** Says no more, and reads on for a while so that a client that still sends can read what was said (RFC 9112, 9.6). */
  #linger(): void {
    const { socket } = this
    this.#state = 'lingering'
    this.#ahead = undefined
    this.#patience.stop()
    if (!socket.writableEnded) socket.end()
    if (this.#isPaused) socket.resume()
    if (socket.writableLength === 0) {
      this.#patience.linger()
      return
    }
    this.#patience.awaitProgress()
    socket.once('finish', () => this.#patience.linger())
  }

  #release(): void {
    if (this.#inbound === undefined) return
    this.#inbound = undefined
    this.#context.requests--
  }
}

function ignore(): void {}

/** Whether the system has not taken what a socket was given, and that is much. */
function isFull(socket: Socket): boolean {
  return socket.writableNeedDrain && socket.writableLength > 0
}

function peerOf({ remoteAddress = '', remotePort = 0, localAddress = '', localPort = 0 }: Socket): Peer {
  return { remoteAddress, remotePort, localAddress, localPort }
}
