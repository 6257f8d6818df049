// Requests to one API server with fresh credentials each, and within limits of time. Knows nothing of lists and watches.
import type { Clock } from '../../watch/clock.ts'
import type { AccessSource } from './access.ts'
import { refusal } from './answer.ts'
import { Deadline } from './deadline.ts'
import type { Exchange, Wire, WireRequest } from './exchange.ts'

/** An answer of a status that is no refusal: 200, and what else changes are answered with. */
export interface Answer extends Exchange {
  /** A byte came: the next one is due within the idle time. */
  readonly alive: () => void
}

export interface AskOptions extends WireRequest {
  readonly signal: AbortSignal
  /** How long the server may be silent, before the head of its answer or after, in milliseconds. */
  readonly idleMs: number
}

/** A busy machine may take seconds to load what reads a kubeconfig, which says nothing of the server. */
const credentialsMs = 10_000

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
   * Sends it once and gives `use` the answer; whatever `use` leaves unread is thrown away. Rejects with RefusedError for
   * a status that is a refusal, and with DeadlineError for silence; after a 401 the credentials are read anew.
   */
  async ask<T>({ signal, idleMs, ...request }: AskOptions, use: (answer: Answer) => Promise<T>): Promise<T> {
    const { path } = request
    using deadline = new Deadline(this.#clock, signal)
    const patienceMs = Math.max(idleMs, credentialsMs)
    deadline.arm(patienceMs, `${path}: no credentials within ${patienceMs / 1000} s`)
    try {
      const target = await unlessAborted(this.#access.target(), deadline.signal)
      deadline.arm(idleMs, `${path}: no answer within ${idleMs / 1000} s`)
      const exchange = await this.#wire.open(target, request, deadline.signal)
      this.#isPathChecked = exchange.isPathChecked
      const alive = (): void => deadline.arm(idleMs, `${path}: silent for ${idleMs / 1000} s`)
      alive()
      if (exchange.status === 401) this.#access.forget(target)
      return await answered(exchange, request, () => use({ ...exchange, alive }))
    } catch (error) {
      // What broke is the socket or the reader; why it broke is the deadline, whoever aborted, or a dead path.
      if (deadline.signal.aborted) throw deadline.signal.reason
      throw error instanceof Error && error.name === 'AbortError' ? (error.cause ?? error) : error
    }
  }
}

async function answered<T>(exchange: Exchange, request: WireRequest, use: () => Promise<T>): Promise<T> {
  const isRead = request.method === undefined || request.method === 'GET'
  const { status } = exchange
  try {
    if (status === 200 || (!isRead && status > 200 && status < 300)) return await use()
    throw await refusal(exchange, request)
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
