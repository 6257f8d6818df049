// All connections to one endpoint: hands exchanges to idle ones, the latest used first, opens more, and keeps those in turn
// that must wait. Knows no bytes.
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { HeadLimits } from '../http1/message.ts'
import { Exchange, type ExchangeHolder } from './exchange.ts'
import { LinkedList } from './linked-list.ts'
import type { PoolTimeouts } from './pool-timeouts.ts'
import { mayTunnel } from './request-framing.ts'
import type { Sending, Upstream, UpstreamFailure, UpstreamHandler, UpstreamRequest } from './upstream.ts'
import { type ConnectionOwner, UpstreamConnection } from './upstream-connection.ts'
import type { OpenSocket } from './upstream-socket.ts'

/** Between a connection that was lost and the one that takes its place to keep minSize. */
const refillMs = 1_000

export interface EndpointPoolOptions {
  readonly open: OpenSocket
  readonly limits: HeadLimits
  readonly timeouts: PoolTimeouts
  readonly clock: Clock
  readonly onCrash: (error: unknown) => void
  readonly minSize: number
  readonly maxSize: number
  readonly maxWaiters: number
}

export class EndpointPool implements Upstream, ConnectionOwner, ExchangeHolder {
  readonly #options: EndpointPoolOptions
  readonly #all = new Set<UpstreamConnection>()
  /** The latest used stands last. */
  readonly #idle = new LinkedList<UpstreamConnection>()
  /** The longest waiting stands first. */
  readonly #waiting = new LinkedList<Exchange>()
  /** Connections that are being opened for one exchange only. */
  readonly #reserved = new Map<UpstreamConnection, Exchange>()
  /** Connections that are being opened for whoever waits. */
  #connecting = 0
  #refill: Cancel | undefined
  #isClosing = false
  #isEnded = false
  readonly #closed = Promise.withResolvers<void>()

  constructor(options: EndpointPoolOptions) {
    this.#options = options
    options.timeouts.acquire()
    this.#keepMinimum()
  }

  get connections(): number {
    return this.#all.size
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): Sending {
    const exchange = new Exchange(request, handler)
    const idle = this.#freshIdle()
    if (this.#isClosing) fail(exchange, 'refused', new Error('the endpoint has left'))
    else if (mayTunnel(request)) this.#sendAlone(exchange)
    else if (idle !== undefined) {
      this.#idle.remove(idle)
      idle.carry(exchange)
    } else this.#wait(exchange)
    return exchange
  }

  close(): Promise<void> {
    this.#stop()
    return this.#closed.promise
  }

  destroy(reason: Error): Promise<void> {
    this.#stop()
    while (this.#waiting.size > 0) this.#refuseFirst(reason)
    for (const connection of this.#all) connection.destroy(reason)
    return this.#closed.promise
  }

  /** Of an exchange that waits. */
  abort(exchange: Exchange): void {
    exchange.holder = undefined
    for (const [connection, reserved] of this.#reserved) {
      if (reserved !== exchange) continue
      this.#reserved.delete(connection)
      connection.destroy(new Error('not wanted any more'))
      return
    }
    this.#waiting.remove(exchange)
    this.#endIfDone()
  }

  /** Of an exchange that waits: nothing flows yet. */
  resume(): void {}

  onOpen(connection: UpstreamConnection): void {
    const reserved = this.#reserved.get(connection)
    this.#reserved.delete(connection)
    if (!connection.isPlain) this.#connecting--
    if (reserved === undefined) this.onFree(connection)
    else connection.carry(reserved)
  }

  onFree(connection: UpstreamConnection): void {
    const waiter = this.#takeWaiter()
    if (waiter === undefined) {
      this.#keep(connection)
      return
    }
    if (!mayTunnel(waiter.request)) connection.carry(waiter)
    else {
      this.#openAlone(waiter)
      connection.destroy(new Error('another takes its place'))
    }
  }

  /** The first that has time. The timer of one that has none may run a little later than what it is to prevent. */
  #takeWaiter(): Exchange | undefined {
    for (let waiter = this.#waiting.first; waiter !== undefined; waiter = this.#waiting.first) {
      this.#waiting.remove(waiter)
      if (waiter.request.isTooLate !== true) return waiter
      fail(waiter, 'crowded', new Error('no connection came free in time'))
    }
    return undefined
  }

  onRefused(connection: UpstreamConnection, error: Error): void {
    const reserved = this.#reserved.get(connection)
    this.#all.delete(connection)
    this.#reserved.delete(connection)
    if (reserved !== undefined) fail(reserved, 'refused', error)
    if (!connection.isPlain) this.#refuseWaiting(error)
    this.#openForWaiting()
    this.#afterLoss()
  }

  onClosed(connection: UpstreamConnection): void {
    this.#all.delete(connection)
    this.#idle.remove(connection)
    this.#openForWaiting()
    this.#afterLoss()
  }

  onIdleTooLong(connection: UpstreamConnection): void {
    if (this.#all.size <= this.#options.minSize) connection.rest()
    else connection.destroy(new Error('idle for too long'))
  }

  #keep(connection: UpstreamConnection): void {
    if (this.#isClosing) {
      connection.destroy(new Error('the endpoint has left'))
      return
    }
    const { keepMs } = connection
    if (keepMs !== Number.POSITIVE_INFINITY) connection.expiresAt = this.#options.clock.monotonic() + keepMs
    this.#idle.append(connection)
    connection.rest()
  }

  /** The one that was used last, unless its upstream may be closing it: a request would cross that. */
  #freshIdle(): UpstreamConnection | undefined {
    let idle = this.#idle.last
    if (idle === undefined || idle.expiresAt === Number.POSITIVE_INFINITY) return idle
    const now = this.#options.clock.monotonic()
    for (; idle !== undefined && idle.expiresAt <= now; idle = this.#idle.last)
      idle.destroy(new Error('the upstream is about to close it'))
    return idle
  }

  #wait(exchange: Exchange): void {
    const { maxSize, maxWaiters } = this.#options
    const mayOpen = this.#all.size < maxSize
    if (!mayOpen && this.#waiting.size - this.#connecting >= maxWaiters) {
      fail(
        exchange,
        'crowded',
        new Error(`all ${maxSize} connections (maxSize) are in use, and ${maxWaiters} requests (maxWaiters) wait`),
      )
      return
    }
    exchange.holder = this
    this.#waiting.append(exchange)
    if (mayOpen && this.#waiting.size > this.#connecting) this.#open()
  }

  /** What may change its protocol gets a connection of its own, which joins the others when it does not. */
  #sendAlone(exchange: Exchange): void {
    const idle = this.#idle.first
    if (this.#all.size < this.#options.maxSize) this.#openAlone(exchange)
    else if (idle === undefined) this.#wait(exchange)
    else {
      this.#openAlone(exchange)
      idle.destroy(new Error('another takes its place'))
    }
  }

  #open(): void {
    this.#connecting++
    this.#all.add(this.#connect(false))
  }

  #openAlone(exchange: Exchange): void {
    exchange.holder = this
    const connection = this.#connect(true)
    this.#all.add(connection)
    this.#reserved.set(connection, exchange)
  }

  #connect(isPlain: boolean): UpstreamConnection {
    const { open, limits, timeouts, onCrash } = this.#options
    return new UpstreamConnection({ owner: this, open, limits, timeouts, onCrash, isPlain })
  }

  /** As far as there is room. */
  #openForWaiting(): void {
    while (this.#waiting.size > this.#connecting && this.#all.size < this.#options.maxSize) this.#open()
  }

  /** A connection for those that wait did not come about: one of them has had his try. */
  #refuseWaiting(error: Error): void {
    this.#connecting--
    if (this.#waiting.size > this.#connecting) this.#refuseFirst(error)
    // Nobody is left who could serve the others.
    while (this.#all.size === 0 && this.#waiting.size > 0) this.#refuseFirst(error)
  }

  #refuseFirst(error: Error): void {
    const waiter = this.#waiting.first
    if (waiter === undefined) return
    this.#waiting.remove(waiter)
    fail(waiter, 'refused', error)
  }

  #keepMinimum(): void {
    const { minSize, maxSize } = this.#options
    while (this.#all.size < Math.min(minSize, maxSize)) this.#open()
  }

  #afterLoss(): void {
    const { minSize, maxSize, clock } = this.#options
    if (this.#isClosing) this.#endIfDone()
    else if (this.#all.size < Math.min(minSize, maxSize)) this.#refill ??= clock.after(refillMs, this.#onRefill)
  }

  readonly #onRefill = (): void => {
    this.#refill = undefined
    this.#keepMinimum()
  }

  #stop(): void {
    this.#isClosing = true
    this.#refill?.()
    this.#refill = undefined
    for (let idle = this.#idle.first; idle !== undefined; idle = this.#idle.first) {
      idle.destroy(new Error('the endpoint has left'))
    }
    this.#endIfDone()
  }

  #endIfDone(): void {
    if (!this.#isClosing || this.#isEnded || this.#all.size > 0 || this.#waiting.size > 0) return
    this.#isEnded = true
    this.#options.timeouts.release()
    this.#closed.resolve()
  }
}

function fail(exchange: Exchange, kind: UpstreamFailure['kind'], error: Error): void {
  exchange.holder = undefined
  exchange.handler.onFailure({ kind, error, isFresh: true })
}
