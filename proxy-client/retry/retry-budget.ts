// How many requests may be sent once more, so that retries never become the load that breaks a backend. As Finagle's: within
// `ttlSecs` at most a share of the requests, and a reserve of minRetriesPerSec x ttlSecs. Called on every request: it only counts.
import type { Clock } from '../../watch/clock.ts'
import type { BudgetConfig } from './retry-config.ts'

export interface RetryBudget {
  /** A request that is no retry has come. */
  deposit(): void
  /** Takes one retry; false when none is left. */
  tryWithdraw(): boolean
  /** Retries that could be taken now. */
  readonly balance: number
}

/** Slices of the time to live; what came in one is forgotten together. */
const slices = 10
/** A withdrawal is remembered for a whole slice more than a deposit, so that no span of the time to live sees too many. */
const ring = slices + 1
/** Ten tenths make one. */
const tolerance = 1e-9

class SlidingBudget implements RetryBudget {
  readonly #clock: Clock
  readonly #sliceMs: number
  readonly #share: number
  readonly #reserve: number
  readonly #deposits = new Float64Array(ring)
  readonly #withdrawals = new Float64Array(ring)
  #deposited = 0
  #withdrawn = 0
  /** The number of the slice that is written to. */
  #slice: number

  constructor({ ttlSecs, minRetriesPerSec, percentCanRetry }: BudgetConfig, clock: Clock) {
    this.#clock = clock
    this.#sliceMs = (ttlSecs * 1000) / slices
    this.#share = percentCanRetry
    this.#reserve = minRetriesPerSec * ttlSecs
    this.#slice = this.#currentSlice()
  }

  get balance(): number {
    this.#forget()
    return Math.max(0, Math.floor(this.#left() + tolerance))
  }

  deposit(): void {
    const at = this.#forget()
    this.#deposits[at] = (this.#deposits[at] ?? 0) + 1
    this.#deposited++
  }

  tryWithdraw(): boolean {
    const at = this.#forget()
    if (this.#left() + tolerance < 1) return false
    this.#withdrawals[at] = (this.#withdrawals[at] ?? 0) + 1
    this.#withdrawn++
    return true
  }

  #left(): number {
    return this.#deposited * this.#share + this.#reserve - this.#withdrawn
  }

  #currentSlice(): number {
    return Math.floor(this.#clock.monotonic() / this.#sliceMs)
  }

  /** Lets go what is too old, and gives the place of the present slice. */
  #forget(): number {
    const now = this.#currentSlice()
    if (now !== this.#slice) this.#advance(now)
    return now % ring
  }

  /** At most once around the ring, however long nobody asked. */
  #advance(now: number): void {
    const first = Math.max(this.#slice + 1, now - slices)
    for (let slice = first; slice <= now; slice++) {
      const place = slice % ring
      const last = (slice + 1) % ring
      this.#withdrawn -= this.#withdrawals[place] ?? 0
      this.#withdrawals[place] = 0
      // The place itself was emptied of deposits one step before, unless steps were left out.
      this.#deposited -= (this.#deposits[place] ?? 0) + (this.#deposits[last] ?? 0)
      this.#deposits[place] = 0
      this.#deposits[last] = 0
    }
    this.#slice = now
  }
}

/** Its reserve is there from the start, so that a client that has just begun may try again. */
export function createRetryBudget(config: BudgetConfig, clock: Clock): RetryBudget {
  return new SlidingBudget(config, clock)
}
