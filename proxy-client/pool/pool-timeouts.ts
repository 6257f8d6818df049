// The timeouts of all connections that share a configuration. Knows no connection.
import type { Clock } from '../../watch/clock.ts'
import { TimeoutQueue } from '../timeout/timeout-queue.ts'
import type { ClientSessionConfig, ConnectionPoolConfig } from './pool-config.ts'

export class PoolTimeouts {
  readonly connect: TimeoutQueue
  readonly idle: TimeoutQueue
  readonly life: TimeoutQueue | undefined
  #users = 0

  constructor(session: ClientSessionConfig, pool: ConnectionPoolConfig, clock: Clock) {
    this.connect = new TimeoutQueue(clock, session.connectTimeoutMs)
    this.idle = new TimeoutQueue(clock, Math.min(session.idleTimeMs, pool.idleTimeMs ?? session.idleTimeMs))
    this.life = session.lifeTimeMs === undefined ? undefined : new TimeoutQueue(clock, session.lifeTimeMs)
  }

  /** A pool begins to use them. */
  acquire(): void {
    this.#users++
  }

  /** A pool has no connection any more and opens no other; after the last one no timer runs. */
  release(): void {
    this.#users--
    if (this.#users > 0) return
    this.connect.close()
    this.idle.close()
    this.life?.close()
  }
}
