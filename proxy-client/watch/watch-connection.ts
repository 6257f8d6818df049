// The one stream to a server: which address, when to try again, one message on its way at a time. Knows nothing of names.
import {
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js'
import { NamingError } from '../../naming/errors.ts'
import { namingService } from '../../proto/naming-service.ts'
import { plainFailure } from '../../runtime/grpc-failure.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cell, Input, Kernel } from '../../watch/cell.ts'
import type { Cancel, Clock, Random } from '../../watch/clock.ts'

/** Times in ms since 1970. `attempt` counts the failures since a connection last stood for a while. */
export type ConnectionState =
  | { readonly kind: 'connecting'; readonly address: string; readonly attempt: number }
  | { readonly kind: 'connected'; readonly address: string; readonly since: number }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryAt: number; readonly reason: string }
  | { readonly kind: 'closed' }

export interface ConnectionOptions {
  /** `host:port` of each server; tried in turn from a random one. */
  readonly addresses: readonly string[]
  readonly kernel: Kernel
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Over the defaults of this file. */
  readonly channelOptions?: ChannelOptions
}

/** Told in this order: opened, then received and sendable in any order, then lost. */
export interface ConnectionEvents {
  opened(): void
  /** A RangeError thrown here ends the connection: the server sent what cannot be read. */
  received(message: Buffer): void
  /** The last message has been taken. */
  sendable(): void
  lost(reason: NamingError): void
}

const firstBackoffMs = 200
const maxBackoffMs = 10_000
const connectTimeoutMs = 5_000
/** A connection that stood so long was a good one: the next attempts start fresh. */
const stableMs = 10_000

const defaultChannelOptions: ChannelOptions = {
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.max_send_message_length': 4 * 1024 * 1024,
  'grpc-node.flow_control_window': 1024 * 1024,
}

type Stream = ClientDuplexStream<Uint8Array, Buffer>

/** One attempt and what it became. */
interface Link {
  readonly address: string
  readonly client: Client
  readonly stream: Stream
  readonly cancelTimeout: Cancel
  /** On the monotonic clock; absent until the server has answered. */
  openedAt?: number
}

export class WatchConnection {
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #state: Input<ConnectionState>
  readonly #addresses: readonly string[]
  #next = 0
  #attempt = 0
  #link: Link | undefined
  #isSending = false
  /** Whether the log has it that there is a connection, since it last had that there is none. */
  #isAnnounced = false
  #cancelRetry: Cancel | undefined

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options
    this.#events = events
    this.#addresses = shuffle(options.addresses, options.random)
    this.#state = options.kernel.input<ConnectionState>('connection to the naming server')
    this.#connect()
  }

  get state(): Cell<ConnectionState> {
    return this.#state
  }

  get canSend(): boolean {
    return this.#link?.openedAt !== undefined && !this.#isSending
  }

  /** Sends one message; only when canSend. */
  send(message: Uint8Array): void {
    const link = this.#link
    this.#isSending = true
    link?.stream.write(message, () => {
      if (link !== this.#link) return
      this.#isSending = false
      this.#events.sendable()
    })
  }

  /** Ends the stream; harmless when called twice. */
  close(): void {
    this.#cancelRetry?.()
    this.#dropLink()
    this.#state.set({ kind: 'closed' })
  }

  #connect(): void {
    const options = this.#options
    const address = this.#addresses[this.#next++ % this.#addresses.length]
    if (address === undefined) throw new NamingError('bad-config', 'The watch client needs the address of a server.')
    this.#state.set({ kind: 'connecting', address, attempt: this.#attempt })
    const channelOptions = { ...defaultChannelOptions, ...options.channelOptions }
    const client = new Client(address, credentials.createInsecure(), channelOptions)
    const { path, requestSerialize, responseDeserialize } = namingService.Watch
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata())
    const cancelTimeout = options.clock.after(connectTimeoutMs, () => this.#lose(link, 'it does not answer'))
    const link: Link = { address, client, stream, cancelTimeout }
    this.#link = link
    stream.on('metadata', () => this.#open(link))
    stream.on('data', (message: Buffer) => this.#receive(link, message))
    stream.on('status', (status: StatusObject) =>
      this.#lose(link, plainFailure(status.details) || 'it ended the stream'),
    )
    stream.on('error', error => options.log.debug({ err: error, address }, 'The stream to the naming server failed.'))
  }

  #open(link: Link): void {
    if (link !== this.#link || link.openedAt !== undefined) return
    link.cancelTimeout()
    link.openedAt = this.#options.clock.monotonic()
    this.#isSending = false
    this.#state.set({ kind: 'connected', address: link.address, since: this.#options.clock.now() })
    this.#announce(link.address)
    this.#events.opened()
  }

  #announce(address: string): void {
    const { log } = this.#options
    if (this.#isAnnounced) log.debug({ address }, 'Connected to the naming server once more.')
    else log.info({ address }, 'Connected to the naming server.')
    this.#isAnnounced = true
  }

  #receive(link: Link, message: Buffer): void {
    if (link !== this.#link) return
    try {
      this.#events.received(message)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#lose(link, `it sent what cannot be read: ${error.message}`)
    }
  }

  #lose(link: Link, why: string): void {
    if (link !== this.#link) return
    const { clock, random, log } = this.#options
    if (link.openedAt !== undefined && clock.monotonic() - link.openedAt >= stableMs) this.#attempt = 0
    this.#dropLink()
    const round = Math.floor(this.#attempt / this.#addresses.length)
    const waitMs = random() * Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(round, 10))
    const reason = `The naming server at ${link.address} is away: ${why}.`
    const facts = { address: link.address, retryInMs: Math.round(waitMs) }
    if (this.#attempt === 0) {
      log.warn(facts, reason)
      this.#isAnnounced = false
    } else log.debug(facts, reason)
    this.#attempt++
    this.#state.set({ kind: 'waiting', attempt: this.#attempt, retryAt: clock.now() + waitMs, reason })
    this.#cancelRetry = clock.after(waitMs, () => this.#connect())
    if (link.openedAt !== undefined) this.#events.lost(new NamingError('unavailable', reason))
  }

  #dropLink(): void {
    const link = this.#link
    this.#link = undefined
    if (link === undefined) return
    link.cancelTimeout()
    link.stream.cancel()
    link.client.close()
  }
}

/** The same addresses in random order, so that a fleet spreads over its servers. */
function shuffle(addresses: readonly string[], random: Random): readonly string[] {
  return addresses
    .map(address => ({ address, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ address }) => address)
}
