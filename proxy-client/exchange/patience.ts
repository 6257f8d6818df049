// How long a connection waits for its client: to ask again, to end a head, to go on, to have read our last words, to show
// that it is there after it ended its side. Knows no messages.
import type { Socket } from 'node:net'
import type { Timeout } from '../timeout/timeout-queue.ts'
import type { ConnectionContext } from './connection-context.ts'
import { HalfClosedProbe } from './half-closed-probe.ts'
import type { HttpInbound } from './http-inbound.ts'
import { ProgressWatch, type Watched } from './progress-watch.ts'

/** The connection that waits. */
export interface Waiting extends Watched {
  readonly socket: Socket
  headIsLate(): void
  destroy(): void
}

export class Patience {
  readonly #owner: Waiting
  readonly #context: ConnectionContext
  readonly #idle: Timeout
  #isResting = false
  /** For a head that has begun or that is the first; in the end for the client to close. */
  #head: Timeout | undefined
  #stall: ProgressWatch | undefined
  #probe: HalfClosedProbe | undefined
  #leaving: ProgressWatch | undefined

  constructor(owner: Waiting, context: ConnectionContext) {
    this.#owner = owner
    this.#context = context
    this.#idle = context.idle.create(() => owner.destroy())
  }

  /** Whether the head of a first request is awaited, or one that has begun. */
  get awaitsHead(): boolean {
    return this.#head !== undefined
  }

  /** Whether the idle time runs. */
  get isResting(): boolean {
    return this.#isResting
  }

  /** No request is in progress. */
  rest(): void {
    this.#isResting = true
    this.#idle.start()
  }

  /** A head has begun; the time for it does not start anew while it runs. */
  awaitHead(): void {
    if (this.#head !== undefined) return
    this.#idle.stop()
    this.#head = this.#context.head.create(() => this.#owner.headIsLate())
    this.#head.start()
  }

  /** A head has come. */
  requestBegins(): void {
    this.#isResting = false
    this.#idle.stop()
    this.#head?.stop()
    this.#head = undefined
  }

  /** It may have become the client's turn, to send or to read. */
  awaitProgress(): void {
    this.#stall ??= new ProgressWatch(this.#owner, this.#context.stall)
    this.#stall.start()
  }

  /**
   * The client has ended its side after a whole request. It may still read: before the answer it is asked in an interim
   * response; in the middle of one it has left unless data flows, for that meets a reset when it has.
   */
  clientEnded(inbound: HttpInbound): void {
    const owner = this.#owner
    if (!inbound.isStarted) {
      if (inbound.head.minor === 1) this.#probe = new HalfClosedProbe(owner.socket, this.#context.probe)
      return
    }
    const silence: Watched = {
      get isAwaited() {
        return !owner.socket.writableNeedDrain
      },
      get progress() {
        return inbound.bytesOut
      },
      stalled: () => owner.destroy(),
    }
    this.#leaving = new ProgressWatch(silence, this.#context.probe)
    this.#leaving.start()
  }

  /** Something is about to be written to the client. */
  responseBegins(): void {
    this.#probe?.end()
  }

  /** Our last word was said: the client has some time to read it and to close. */
  linger(): void {
    this.stop()
    this.#head = this.#context.linger.create(() => this.#owner.destroy())
    this.#head.start()
  }

  stop(): void {
    this.#idle.stop()
    this.#head?.stop()
    this.#head = undefined
    this.#stall?.stop()
    this.#probe?.stop()
    this.#leaving?.stop()
  }
}
