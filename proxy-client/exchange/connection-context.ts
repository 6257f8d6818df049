// What all connections of one listener share: its limits, its timeouts and how many requests are in progress.

import type { Clock } from '../../watch/clock.ts'
import type { ProxyFailure } from '../failure.ts'
import type { HeadLimits } from '../http1/message.ts'
import { TimeoutQueue } from '../timeout/timeout-queue.ts'
import type { InboundHandler } from './inbound.ts'
import { ReaderPool } from './reader-pool.ts'
import type { ServerConfig } from './server-config.ts'

/** How long a connection that is to close may go on sending, so that the client can read our last words (RFC 9112, 9.6). */
const lingerMs = 5_000
/** How long an answer may take before a client that has ended its side is asked whether it is there. */
const probeMs = 200

/** What a listener needs to know of its configuration. */
export type ListenerConfig = Pick<
  ServerConfig,
  'ip' | 'port' | 'maxConcurrentRequests' | 'serverSession' | 'socketOptions' | 'headTimeoutMs' | 'stallTimeoutMs'
>

export interface ConnectionOptions {
  readonly config: ListenerConfig
  readonly clock: Clock
  readonly limits: HeadLimits
  readonly handle: InboundHandler
  /** Told of a request that was refused before it reached the handler. */
  readonly onRefused: (failure: ProxyFailure) => void
  /** Told of an error of our own that cost a connection. */
  readonly onCrash: (error: unknown) => void
}

export class ConnectionContext {
  readonly clock: Clock
  readonly readers: ReaderPool
  readonly handle: InboundHandler
  readonly onRefused: (failure: ProxyFailure) => void
  readonly onCrash: (error: unknown) => void
  readonly maxRequests: number
  readonly head: TimeoutQueue
  readonly idle: TimeoutQueue
  readonly stall: TimeoutQueue
  readonly linger: TimeoutQueue
  readonly probe: TimeoutQueue
  readonly life: TimeoutQueue | undefined
  /** Requests in progress on all connections. */
  requests = 0

  constructor({ config, clock, limits, handle, onRefused, onCrash }: ConnectionOptions) {
    this.clock = clock
    this.readers = new ReaderPool(limits)
    this.handle = handle
    this.onRefused = onRefused
    this.onCrash = onCrash
    this.maxRequests = config.maxConcurrentRequests ?? Number.POSITIVE_INFINITY
    this.head = new TimeoutQueue(clock, config.headTimeoutMs)
    this.idle = new TimeoutQueue(clock, config.serverSession.idleTimeMs)
    this.stall = new TimeoutQueue(clock, config.stallTimeoutMs)
    this.linger = new TimeoutQueue(clock, lingerMs)
    this.probe = new TimeoutQueue(clock, probeMs)
    const { lifeTimeMs } = config.serverSession
    this.life = lifeTimeMs === undefined ? undefined : new TimeoutQueue(clock, lifeTimeMs)
  }

  /** Once no connection is left. */
  close(): void {
    for (const queue of [this.head, this.idle, this.stall, this.linger, this.probe, this.life]) queue?.close()
  }
}
