// Tries servers in turn until one answers: which address is next and how long to wait before it. Knows nothing of what the
// stream is for.
import type { ChannelOptions } from '@grpc/grpc-js'
import { NamingError } from '../../naming/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock, Random } from '../../watch/clock.ts'
import { shuffle } from '../server-channel.ts'
import { type StreamEnd, type StreamEvents, WatchStream } from './watch-stream.ts'

export interface DialerOptions {
  /** `host:port` of each server; tried in turn from a random one. */
  readonly addresses: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Over those of server-channel.ts. */
  readonly channelOptions?: ChannelOptions
}

/** What the dialer does; times in ms since 1970. */
export type DialState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly address: string; readonly attempt: number }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryAt: number; readonly reason: string }

/** What happens on every stream that it opened; the dialer is idle once one has opened. */
export interface DialerEvents extends StreamEvents {
  changed(): void
}

const idle: DialState = { kind: 'idle' }
const firstBackoffMs = 500
/** After a restart of the servers everyone is back within this. */
const maxBackoffMs = 5_000
/** A stream that stood so long was a good one: the next attempts start fresh. */
const stableMs = 10_000
/** Whatever a server asks for, it is tried again after this. */
const maxPushbackMs = 60_000

export class Dialer {
  readonly #options: DialerOptions
  readonly #events: DialerEvents
  readonly #addresses: readonly string[]
  /** Until when the servers ask not to be called, on the monotonic clock. */
  readonly #closedUntil = new Map<string, number>()
  #next = 0
  #attempt = 0
  #state: DialState = idle
  #stream: WatchStream | undefined
  #cancelWait: Cancel | undefined

  constructor(options: DialerOptions, events: DialerEvents) {
    if (options.addresses.length === 0)
      throw new NamingError('bad-config', 'The watch client needs the address of a server.')
    this.#options = options
    this.#events = events
    this.#addresses = shuffle(options.addresses, options.random)
  }

  get state(): DialState {
    return this.#state
  }

  /** Failures since a stream last stood for a while. */
  get attempt(): number {
    return this.#attempt
  }

  /** Tries the next address at once. Only when idle. */
  dial(): void {
    const { clock, log, channelOptions } = this.#options
    const address = this.#nextAddress()
    const events = this.#events
    const options = { address, clock, log, ...(channelOptions !== undefined && { channelOptions }) }
    this.#stream = new WatchStream(options, {
      opened: stream => {
        this.#stream = undefined
        this.#setState(idle)
        events.opened(stream)
      },
      received: (stream, message) => events.received(stream, message),
      sendable: stream => events.sendable(stream),
      ended: (stream, end) => events.ended(stream, end),
    })
    this.#setState({ kind: 'connecting', address, attempt: this.#attempt })
  }

  /** Notes how a stream of this dialer ended, and gives for people how that came. */
  noteEnd(stream: WatchStream, { why, pushbackMs }: StreamEnd): string {
    const { clock } = this.#options
    if (this.#stream === stream) {
      this.#stream = undefined
      this.#state = idle
    }
    if (stream.ageMs >= stableMs) this.#attempt = 0
    this.#attempt++
    if (pushbackMs !== undefined)
      this.#closedUntil.set(stream.address, clock.monotonic() + Math.min(pushbackMs, maxPushbackMs))
    return `The naming server at ${stream.address} is away: ${why}.`
  }

  /** Only when idle: tries again after a while: full jitter under a bound that doubles with each round, after what the servers ask for. */
  dialLater(reason: string): void {
    const { clock, random } = this.#options
    const round = Math.floor((this.#attempt - 1) / this.#addresses.length)
    const waitMs = this.#pushbackMs() + random() * Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(round, 10))
    this.#cancelWait = clock.after(waitMs, () => this.dial())
    this.#setState({ kind: 'waiting', attempt: this.#attempt, retryAt: clock.now() + waitMs, reason })
  }

  /** Gives up what it is at; harmless when it is idle. */
  stop(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
    this.#stream?.close()
    this.#stream = undefined
    this.#state = idle
  }

  #setState(state: DialState): void {
    this.#state = state
    this.#events.changed()
  }

  /** The next in turn that may be called; when none may, the one that may first. */
  #nextAddress(): string {
    const now = this.#options.clock.monotonic()
    const inTurn = this.#addresses.map((_, i) => (this.#next + i) % this.#addresses.length)
    const index = inTurn.find(i => this.#closedMs(i, now) === 0) ?? this.#next
    this.#next = (index + 1) % this.#addresses.length
    return this.#addresses[index] ?? ''
  }

  /** How long until any server may be called. */
  #pushbackMs(): number {
    const now = this.#options.clock.monotonic()
    return Math.min(...this.#addresses.map((_, i) => this.#closedMs(i, now)))
  }

  #closedMs(index: number, now: number): number {
    const until = this.#closedUntil.get(this.#addresses[index] ?? '') ?? now
    return Math.max(0, until - now)
  }
}
