// Sends streams elsewhere: all of a connection that is old, and some of any where this server has more than its share. Clients
// that can are asked to open another stream first; the streams of others end, spread over the grace. While it looks, it has
// connections cut that are over. Knows no protocol.

import { constants } from 'node:http2'
import { status } from '@grpc/grpc-js'
import type { Env } from '../../runtime/env.ts'
import type { Cancel } from '../../watch/clock.ts'
import { defaultMaxConnectionAgeMs } from '../grpc-limits.ts'
import type { Connection, ConnectionStream, Connections } from './connections.ts'

export interface DeparturesOptions {
  /** After about so long the streams of a connection go elsewhere; 0 for never. Milliseconds. */
  readonly maxConnectionAgeMs: number
  /** What a client has time for after it was asked; milliseconds. */
  readonly graceMs: number
}

export const departureDefaults: DeparturesOptions = { maxConnectionAgeMs: defaultMaxConnectionAgeMs, graceMs: 30_000 }

/** Why streams go elsewhere, as their clients are told. */
const reasons = {
  age: 'This connection has been open for long enough.',
  balance: 'Other servers have fewer streams.',
} as const

type Reason = keyof typeof reasons

/** Connections that were made together are not left together. */
const jitter = 0.1
const sweepMs = 500
/** To end a stream takes some 15 microseconds; who is over them stays until the next sweep. */
const endsPerSweep = 1_000
/** Streams that the client opened before it heard that it is to leave still arrive within this time. */
const crossingMs = 1_000
const lastStreamId = 2 ** 31 - 1

export class Departures {
  readonly #env: Pick<Env, 'clock' | 'random'>
  readonly #options: DeparturesOptions
  readonly #connections: Connections
  readonly #asked: Readonly<Record<Reason, { inc(): void }>>
  /** Streams that are to go, and when they end if they have not, on the monotonic clock. */
  readonly #leaving = new Map<ConnectionStream, number>()
  #cancelSweep: Cancel | undefined

  constructor(env: Pick<Env, 'clock' | 'random' | 'metrics'>, connections: Connections, options: DeparturesOptions) {
    this.#env = env
    this.#options = options
    this.#connections = connections
    const asked = env.metrics.counter({
      name: 'nameplane_push_moves_total',
      help: 'Push streams that were to go elsewhere, by reason: age of the connection, balance between servers.',
      labels: ['reason'],
    })
    this.#asked = { age: asked.labels({ reason: 'age' }), balance: asked.labels({ reason: 'balance' }) }
    connections.onOpen(connection => this.#opened(connection))
  }

  /** Streams that are to go and are still there. */
  get leaving(): number {
    let count = 0
    for (const stream of this.#leaving.keys()) if (!stream.isClosed) count++
    return count
  }

  /**
   * Sends up to `count` streams elsewhere, of connections taken at random: whole connections, and of one that has more than
   * are left to send only streams whose clients can be asked.
   */
  shed(count: number): void {
    let left = count
    for (const connection of this.#shuffled()) {
      if (left <= 0) return
      const staying = [...connection.streams].filter(stream => !this.#leaving.has(stream))
      if (staying.length === 0) continue
      if (staying.length <= left) {
        this.#leave(connection, 'balance')
        left -= staying.length
      } else left -= this.#askSome(staying, left)
    }
  }

  close(): void {
    this.#cancelSweep?.()
    this.#cancelSweep = undefined
    this.#leaving.clear()
  }

  #opened(connection: Connection): void {
    this.#keepSweeping()
    const { maxConnectionAgeMs } = this.#options
    if (maxConnectionAgeMs === 0) return
    const { clock, random } = this.#env
    connection.leaveAt = clock.monotonic() + maxConnectionAgeMs * (1 + jitter * (2 * random() - 1))
  }

  /** The peer is told to open its next streams on another connection. */
  #leave(connection: Connection, reason: Reason): void {
    connection.leavingSince = this.#env.clock.monotonic()
    if (!connection.session.destroyed) connection.session.goaway(constants.NGHTTP2_NO_ERROR, lastStreamId)
    for (const stream of connection.streams) this.#goElsewhere(stream, reason)
  }

  #goElsewhere(stream: ConnectionStream, reason: Reason): void {
    if (this.#leaving.has(stream) || this.#ask(stream, reason)) return
    const { clock, random } = this.#env
    this.#asked[reason].inc()
    this.#leaving.set(stream, clock.monotonic() + random() * this.#options.graceMs)
  }

  /** False where the client cannot be asked. */
  #ask(stream: ConnectionStream, reason: Reason): boolean {
    const { graceMs } = this.#options
    if (!stream.askToMove(graceMs, reasons[reason])) return false
    this.#asked[reason].inc()
    this.#leaving.set(stream, this.#env.clock.monotonic() + graceMs)
    return true
  }

  #askSome(streams: readonly ConnectionStream[], count: number): number {
    let asked = 0
    for (const stream of streams) {
      if (asked === count) break
      if (this.#ask(stream, 'balance')) asked++
    }
    return asked
  }

  /** Connections whose streams may be sent elsewhere, in random order. */
  *#shuffled(): Iterable<Connection> {
    const candidates = [...this.#connections].filter(
      ({ streams, leavingSince }) => streams.size > 0 && leavingSince === undefined,
    )
    while (candidates.length > 0) {
      const at = Math.floor(this.#env.random() * candidates.length)
      const [chosen] = candidates.slice(at, at + 1)
      const last = candidates.pop()
      if (last !== undefined && at < candidates.length) candidates[at] = last
      if (chosen !== undefined) yield chosen
    }
  }

  #keepSweeping(): void {
    this.#cancelSweep ??= this.#env.clock.after(sweepMs, this.#sweep)
  }

  readonly #sweep = (): void => {
    this.#cancelSweep = undefined
    const now = this.#env.clock.monotonic()
    this.#connections.cutOver()
    this.#endOverdue(now)
    for (const connection of this.#connections) this.#sweepConnection(connection, now)
    if (this.#connections.size > 0 || this.#leaving.size > 0) this.#keepSweeping()
  }

  #endOverdue(now: number): void {
    let left = endsPerSweep
    for (const [stream, endsAt] of this.#leaving) {
      if (!stream.isClosed && (endsAt > now || left === 0)) continue
      this.#leaving.delete(stream)
      if (stream.isClosed) continue
      left--
      stream.end(status.UNAVAILABLE, 'This stream was to go elsewhere: open another one.')
    }
  }

  #sweepConnection(connection: Connection, now: number): void {
    const { leaveAt, leavingSince, session, streams } = connection
    if (leavingSince === undefined) {
      if (leaveAt <= now) this.#leave(connection, 'age')
      return
    }
    for (const stream of streams) this.#goElsewhere(stream, 'age')
    if (leavingSince + crossingMs <= now && !session.closed) session.close()
  }
}
