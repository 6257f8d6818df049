// The stream to whichever server answers: there is one, or one is being sought; while it is being left for another, there are
// two. Knows nothing of names.
import { NamingError } from '../../naming/errors.ts'
import type { Move } from '../../proto/watch-responses.ts'
import type { Cell, Input, Kernel } from '../../watch/cell.ts'
import type { Cancel } from '../../watch/clock.ts'
import { Dialer, type DialerOptions } from './dialer.ts'
import type { StreamEnd, WatchStream } from './watch-stream.ts'

/**
 * Times in ms since 1970. `attempt` counts the failures since a connection last stood for a while. `movingTo`: the server
 * asks to be left, and this is the next one that is tried; absent while none is.
 */
export type ConnectionState =
  | { readonly kind: 'connecting'; readonly address: string; readonly attempt: number }
  | { readonly kind: 'connected'; readonly address: string; readonly since: number; readonly movingTo?: string }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly retryAt: number; readonly reason: string }
  | { readonly kind: 'closed' }

export interface ConnectionOptions extends DialerOptions {
  readonly kernel: Kernel
}

/** Told of each stream in this order: opened, then received and sendable in any order, then it is over. */
export interface ConnectionEvents {
  /** `isSuccessor`: another one stands, which this one is to replace once it has all that one had: see switchOver. */
  opened(stream: WatchStream, isSuccessor: boolean): void
  /** A RangeError thrown here ends the stream: the server sent what cannot be read. */
  received(stream: WatchStream, message: Buffer): void
  /** The last message has been taken. */
  sendable(stream: WatchStream): void
  /** The successor is the one stream from now on, be it ready or not. */
  switched(): void
  /** The successor is gone; the other stands. */
  successorLost(): void
  /** No stream stands. */
  lost(reason: NamingError): void
}

/** A stream is not left sooner than this after it began, so that servers that send clients to each other make little work. */
const minStandMs = 5_000

/** A move that is under way. */
interface Moving {
  /** Until it begins. */
  readonly cancelBegin: Cancel
  /** Until it has to be over. */
  readonly cancelEnd: Cancel
}

export class WatchConnection {
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #state: Input<ConnectionState>
  readonly #dialer: Dialer
  #stream: WatchStream | undefined
  #successor: WatchStream | undefined
  #moving: Moving | undefined
  #moves = 0
  #isClosed = false
  /** Whether the log has it that there is a connection, since it last had that there is none. */
  #isAnnounced = false

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options
    this.#events = events
    this.#state = options.kernel.input<ConnectionState>('connection to the naming server')
    this.#dialer = new Dialer(options, {
      opened: stream => this.#opened(stream),
      received: (stream, message) => this.#received(stream, message),
      sendable: stream => events.sendable(stream),
      ended: (stream, end) => this.#ended(stream, end),
      changed: () => this.#show(),
    })
    this.#dialer.dial()
  }

  get state(): Cell<ConnectionState> {
    return this.#state
  }

  /** How often one stream has been left for another that stood already. */
  get moves(): number {
    return this.#moves
  }

  /** Opens another stream beside the present one, at another address first; one move at a time. */
  move({ withinMs, reason }: Move): void {
    const stream = this.#stream
    if (stream === undefined || this.#moving !== undefined) return
    const { clock, random, log } = this.#options
    log.debug({ address: stream.address, withinMs, reason }, 'The naming server asks to be left.')
    const waitMs = Math.max((random() * withinMs) / 2, minStandMs - stream.ageMs)
    this.#moving = {
      cancelBegin: clock.after(waitMs, () => this.#dialer.dial()),
      cancelEnd: clock.after(withinMs, () => this.#endMove()),
    }
  }

  /** The successor takes over now. Does nothing when there is none. */
  switchOver(): void {
    const before = this.#stream
    if (this.#successor === undefined) return
    this.#promote(this.#successor)
    before?.close()
  }

  /** Ends every stream; harmless when called twice. */
  close(): void {
    this.#isClosed = true
    this.#forgetMove()
    this.#dialer.stop()
    this.#stream?.close()
    this.#successor?.close()
    this.#stream = undefined
    this.#successor = undefined
    this.#show()
  }

  #opened(stream: WatchStream): void {
    const isSuccessor = this.#stream !== undefined
    if (isSuccessor) this.#successor = stream
    else this.#stream = stream
    this.#show()
    if (!isSuccessor) this.#announce(stream.address)
    this.#events.opened(stream, isSuccessor)
  }

  #received(stream: WatchStream, message: Buffer): void {
    try {
      this.#events.received(stream, message)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      stream.fail(`it sent what cannot be read: ${error.message}`)
    }
  }

  #ended(stream: WatchStream, end: StreamEnd): void {
    const reason = this.#dialer.noteEnd(stream, end)
    const wasCurrent = stream === this.#stream
    if (wasCurrent && this.#successor !== undefined) {
      this.#promote(this.#successor)
      return
    }
    if (stream === this.#successor) {
      this.#successor = undefined
      this.#events.successorLost()
    }
    if (wasCurrent) this.#stream = undefined
    if (this.#stream === undefined) this.#forgetMove()
    const isSought = this.#stream === undefined || this.#moving !== undefined
    if (isSought && this.#dialer.state.kind === 'idle') this.#dialer.dialLater(reason)
    this.#report(stream, reason)
    this.#show()
    if (wasCurrent) this.#events.lost(new NamingError('unavailable', reason))
  }

  #promote(successor: WatchStream): void {
    this.#forgetMove()
    this.#stream = successor
    this.#successor = undefined
    this.#moves++
    this.#show()
    this.#options.log.debug({ address: successor.address }, 'Moved to another stream of the naming servers.')
    this.#events.switched()
  }

  /** The time is over: what stands beside takes over as it is; if nothing does, the old stream is kept until it ends. */
  #endMove(): void {
    if (this.#successor !== undefined) this.switchOver()
    else {
      this.#forgetMove()
      this.#dialer.stop()
      this.#show()
    }
  }

  #forgetMove(): void {
    this.#moving?.cancelBegin()
    this.#moving?.cancelEnd()
    this.#moving = undefined
  }

  #announce(address: string): void {
    const { log } = this.#options
    if (this.#isAnnounced) log.debug({ address }, 'Connected to the naming server once more.')
    else log.info({ address }, 'Connected to the naming server.')
    this.#isAnnounced = true
  }

  #report({ address }: WatchStream, reason: string): void {
    const { log } = this.#options
    if (this.#stream !== undefined || this.#dialer.attempt > 1) {
      log.debug({ address }, reason)
      return
    }
    log.warn({ address }, reason)
    this.#isAnnounced = false
  }

  #show(): void {
    const stream = this.#stream
    const dial = this.#dialer.state
    if (this.#isClosed) this.#state.set({ kind: 'closed' })
    else if (stream !== undefined) {
      const { address, since } = stream
      const movingTo = this.#successor?.address ?? (dial.kind === 'connecting' ? dial.address : undefined)
      this.#state.set({ kind: 'connected', address, since, ...(movingTo !== undefined && { movingTo }) })
    } else if (dial.kind !== 'idle') this.#state.set(dial)
  }
}
