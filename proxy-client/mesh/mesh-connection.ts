// The one HTTP/2 connection to a server: which address, when to try again. Knows neither streams nor names.
import { type ChannelOptions, Client, connectivityState, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { encodeText } from '../../proto/mesh-messages.ts'
import { codecService } from '../../proto/mesh-services.ts'
import { plainFailure } from '../../runtime/grpc-failure.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cell, Input, Kernel } from '../../watch/cell.ts'
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { type Backoff, type BackoffSchedule, createBackoff } from '../retry/backoff.ts'
import { serverChannel, shuffle } from '../server-channel.ts'

/** Times in ms since 1970. `attempt` counts the failures since a connection last stood for a while. */
export type ConnectionState =
  | { readonly kind: 'connecting'; readonly address: string; readonly attempt: number }
  | { readonly kind: 'connected'; readonly address: string; readonly since: number }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryAt: number; readonly reason: string }
  | { readonly kind: 'closed' }

export interface RetryBounds {
  readonly minMs: number
  readonly maxMs: number
}

/** Waits that grow within the bounds, and up to `mostMs` unless the least is above it. */
export function waitsUpTo({ minMs, maxMs }: RetryBounds, mostMs: number): BackoffSchedule {
  return { kind: 'equalJittered', minMs, maxMs: Math.min(maxMs, Math.max(minMs, mostMs)) }
}

export interface MeshConnectionOptions {
  /** `host:port` of each server, at least one; tried in turn from a random one. */
  readonly addresses: readonly string[]
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Bounds of the waits between tries, in milliseconds; they end at a bound that is known to be good where that is sooner. */
  readonly retry: RetryBounds
  /** A peer that is silent for `minPeriodMs` is pinged, and given up when it does not answer within `closeTimeoutMs`. */
  readonly failureThreshold: { readonly minPeriodMs: number; readonly closeTimeoutMs: number }
  /** How much a server may send ahead on a stream, and on the connection. */
  readonly windowBytes: number
}

const connectTimeoutMs = 5_000
/** An attempt costs a server that is away nothing, and one that comes back is to find its proxies soon. */
const maxConnectWaitMs = 10_000
/** A connection that stood so long was a good one: the next attempts start fresh. */
const stableMs = 10_000

/** Answers that come from no server that could serve. */
const unanswered: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.UNIMPLEMENTED,
]

/** One attempt and what it became. */
interface Link {
  readonly address: string
  readonly client: Client
  readonly cancelTimeout: Cancel
  /** On the monotonic clock; absent until the server has answered. */
  openedAt?: number
}

export class MeshConnection {
  readonly #options: MeshConnectionOptions
  readonly #opened: () => void
  readonly #state: Input<ConnectionState>
  readonly #addresses: readonly string[]
  readonly #backoff: Backoff
  #next = 0
  #attempt = 0
  #link: Link | undefined
  #cancelRetry: Cancel | undefined
  /** What the log has of it. */
  #told: 'connected' | 'away' | undefined

  /** Connects at once. `opened` is told of each connection; streams of the one before may still be open. */
  constructor(options: MeshConnectionOptions, opened: () => void) {
    this.#options = options
    this.#opened = opened
    this.#addresses = shuffle(options.addresses, options.random)
    this.#backoff = createBackoff(waitsUpTo(options.retry, maxConnectWaitMs), options.random)
    this.#state = options.kernel.input<ConnectionState>('connection to the naming server')
    this.#connect()
  }

  get state(): Cell<ConnectionState> {
    return this.#state
  }

  /** What streams can be opened on; undefined while there is no connection. */
  get client(): Client | undefined {
    return this.#link?.openedAt === undefined ? undefined : this.#link.client
  }

  /** Ends the connection and all on it; harmless when called twice. */
  close(): void {
    this.#cancelRetry?.()
    const link = this.#link
    this.#link = undefined
    link?.cancelTimeout()
    link?.client.close()
    this.#state.set({ kind: 'closed' })
  }

  #connect(): void {
    const { clock } = this.#options
    const address = this.#addresses[this.#next++ % this.#addresses.length] ?? ''
    this.#state.set({ kind: 'connecting', address, attempt: this.#attempt })
    const client = new Client(address, credentials.createInsecure(), channelOptions(this.#options))
    const cancelTimeout = clock.after(connectTimeoutMs, () => this.#lose(link, 'it does not answer'))
    const link: Link = { address, client, cancelTimeout }
    this.#link = link
    // The cheapest question there is: whoever answers it speaks the protocol.
    const { path, requestSerialize, responseDeserialize } = codecService.ReadPath
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, encodeText(''), (error: ServiceError | null) =>
      this.#answered(link, error),
    )
  }

  #answered(link: Link, error: ServiceError | null): void {
    if (link !== this.#link) return
    if (error !== null && unanswered.includes(error.code)) {
      this.#lose(link, plainFailure(error.details) || 'it does not answer')
      return
    }
    const { clock, log } = this.#options
    link.cancelTimeout()
    link.openedAt = clock.monotonic()
    this.#state.set({ kind: 'connected', address: link.address, since: clock.now() })
    log[this.#told === 'connected' ? 'debug' : 'info']({ address: link.address }, 'Connected to the naming server.')
    this.#told = 'connected'
    this.#opened()
    this.#watch(link)
  }

  #watch(link: Link): void {
    const channel = link.client.getChannel()
    const ended = (): void => this.#lose(link, 'the connection has ended')
    if (channel.getConnectivityState(false) !== connectivityState.READY) ended()
    else channel.watchConnectivityState(connectivityState.READY, Number.POSITIVE_INFINITY, ended)
  }

  #lose(link: Link, why: string): void {
    if (link !== this.#link) return
    const { clock } = this.#options
    this.#link = undefined
    this.#retire(link)
    const reason = `The naming server at ${link.address} is away: ${why}.`
    const waitMs = this.#waitMs()
    this.#tell(link, reason, waitMs)
    this.#attempt++
    this.#state.set({ kind: 'waiting', attempt: this.#attempt, retryAt: clock.now() + waitMs, reason })
    this.#cancelRetry = clock.after(waitMs, () => this.#connect())
  }

  /** A connection may end because its server leaves in good order; that none can be had is worth a warning, once. */
  #tell({ address, openedAt }: Link, reason: string, waitMs: number): void {
    const { log } = this.#options
    const facts = { address, retryInMs: Math.round(waitMs) }
    if (openedAt !== undefined) log.info(facts, reason)
    else log[this.#told === 'away' ? 'debug' : 'warn'](facts, reason)
    if (openedAt === undefined) this.#told = 'away'
  }

  /** Takes no new streams; those that are open, as on a server that leaves in good order, are not touched. */
  #retire({ cancelTimeout, client, openedAt }: Link): void {
    cancelTimeout()
    client.close()
    if (openedAt !== undefined && this.#options.clock.monotonic() - openedAt >= stableMs) this.#startFresh()
  }

  #startFresh(): void {
    this.#attempt = 0
    this.#backoff.reset()
  }

  /** The first try after a good connection, and the next address of a round, come soon; then the waits double. */
  #waitMs(): number {
    const isRoundOver = this.#attempt > 0 && this.#attempt % this.#addresses.length === 0
    return isRoundOver ? this.#backoff.next() : this.#options.random() * this.#options.retry.minMs
  }
}

function channelOptions({ failureThreshold, windowBytes }: MeshConnectionOptions): ChannelOptions {
  return {
    ...serverChannel,
    'grpc.keepalive_time_ms': failureThreshold.minPeriodMs,
    'grpc.keepalive_timeout_ms': failureThreshold.closeTimeoutMs,
    'grpc-node.flow_control_window': windowBytes,
  }
}
