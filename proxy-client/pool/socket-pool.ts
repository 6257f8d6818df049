// Makes the pools of endpoints: keep-alive HTTP/1.1 connections on sockets of our own.
import type { Clock } from '../../watch/clock.ts'
import { defaultLimits } from '../http1/limits.ts'
import type { HeadLimits } from '../http1/message.ts'
import { EndpointPool } from './endpoint-pool.ts'
import type { ClientSessionConfig, ConnectionPoolConfig } from './pool-config.ts'
import { PoolTimeouts } from './pool-timeouts.ts'
import type { UpstreamFactory } from './upstream.ts'
import { openSocket } from './upstream-socket.ts'

export interface SocketPoolOptions {
  readonly clientSession: ClientSessionConfig
  readonly hostConnectionPool: ConnectionPoolConfig
  /** Of the heads of responses; absent for linkerd's. */
  readonly limits?: HeadLimits
  readonly clock: Clock
  /** Told of an error of our own that cost a connection; the others go on. */
  readonly onCrash: (error: unknown) => void
}

/** Pools that share their timers; each is closed by whoever has it made. */
export function createSocketPools(options: SocketPoolOptions): UpstreamFactory {
  const { clientSession, hostConnectionPool, limits = defaultLimits, clock, onCrash } = options
  const { minSize, maxSize = Number.POSITIVE_INFINITY, maxWaiters = Number.POSITIVE_INFINITY } = hostConnectionPool
  const timeouts = new PoolTimeouts(clientSession, hostConnectionPool, clock)
  return endpoint =>
    new EndpointPool({
      open: (onread, mayBeAnswered) => openSocket({ endpoint, clock, onread, mayBeAnswered }),
      limits,
      timeouts,
      clock,
      onCrash,
      minSize,
      maxSize,
      maxWaiters,
    })
}
