// GETs to one API server with fresh credentials each, and within limits of time. Knows nothing of lists and watches.
import type { Clock } from '../../watch/clock.ts'
import type { AccessSource } from './access.ts'
import { refusal } from './answer.ts'
import { Deadline } from './deadline.ts'
import type { Exchange, Wire } from './exchange.ts'

/** An answer of status 200. */
export interface Answer extends Exchange {
  /** A byte came: the next one is due within the idle time. */
  readonly alive: () => void
}

export interface AskOptions {
  readonly path: string
  readonly signal: AbortSignal
  /** How long the server may be silent, before the head of its answer or after, in milliseconds. */
  readonly idleMs: number
}

export class Requests {
  readonly #access: AccessSource
  readonly #wire: Wire
  readonly #clock: Clock
  #isPathChecked = false

  constructor(access: AccessSource, wire: Wire, clock: Clock) {
    this.#access = access
    this.#wire = wire
    this.#clock = clock
  }

  get clock(): Clock {
    return this.#clock
  }

  /** Whether the connections notice a path that died without a word, going by the last answer; false before the first. */
  get isPathChecked(): boolean {
    return this.#isPathChecked
  }

  /**
   * Sends a GET and gives `use` its answer; whatever `use` leaves unread is thrown away. Rejects with RefusedError for
   * another status than 200, and with DeadlineError for silence; after a 401 the credentials are read anew.
   */
  async ask<T>({ path, signal, idleMs }: AskOptions, use: (answer: Answer) => Promise<T>): Promise<T> {
    using deadline = new Deadline(this.#clock, signal)
    deadline.arm(idleMs, `${path}: no answer within ${idleMs / 1000} s`)
    try {
      const target = await unlessAborted(this.#access.target(), deadline.signal)
      const exchange = await this.#wire.open(target, path, deadline.signal)
      this.#isPathChecked = exchange.isPathChecked
      const alive = (): void => deadline.arm(idleMs, `${path}: silent for ${idleMs / 1000} s`)
      alive()
      if (exchange.status === 401) this.#access.forget(target)
      return await answered(exchange, path, () => use({ ...exchange, alive }))
    } catch (error) {
      // What broke is the socket or the reader; why it broke is the deadline, whoever aborted, or a dead path.
      if (deadline.signal.aborted) throw deadline.signal.reason
      throw error instanceof Error && error.name === 'AbortError' ? (error.cause ?? error) : error
    }
  }
}

async function answered<T>(exchange: Exchange, path: string, use: () => Promise<T>): Promise<T> {
  try {
    if (exchange.status === 200) return await use()
    throw await refusal(exchange, path)
  } finally {
    exchange.body.destroy()
  }
}

/** A credential plugin may hang: it is waited for no longer than the rest. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  return await new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    promise.then(resolve, reject)
  })
}
