// How often one query may be asked, whatever the agent answers: a token bucket. Knows nothing of requests.
import type { Clock } from '../../watch/clock.ts'
import { defaultMinSpacingMs } from './options.ts'

const burst = 2
const rounding = 1e-9
const longestMs = 4000
/** All queries together that are answered at once with nothing new are asked at most so often. */
const idlePerSecond = 200

/** How many queries are at present answered at once with nothing new. One for all queries of an agent. */
export class IdleAnswers {
  count = 0
  readonly #shortestMs: number

  constructor(shortestMs: number = defaultMinSpacingMs) {
    this.#shortestMs = shortestMs
  }

  /** Between two requests of one query, in milliseconds: the shortest, and more once very many queries are idle. */
  get spacingMs(): number {
    return Math.min(longestMs, Math.max(this.#shortestMs, (this.count * 1000) / idlePerSecond))
  }
}

/**
 * One query's bucket: two requests at once, then one per spacing. The spacing grows with the number of queries that
 * bring nothing new, and not with how long one of them has: so a change is still seen within 300 ms while they are few.
 */
export class PollPace {
  readonly #clock: Clock
  readonly #idle: IdleAnswers
  #tokens = burst
  #filledAt: number
  #isIdle = false

  constructor(clock: Clock, idle: IdleAnswers) {
    this.#clock = clock
    this.#idle = idle
    this.#filledAt = clock.monotonic()
  }

  /** How long the next request must wait, in milliseconds. */
  delayMs(): number {
    this.#fill()
    const missing = 1 - this.#tokens
    return missing <= rounding ? 0 : missing * this.#idle.spacingMs
  }

  sent(): void {
    this.#fill()
    this.#tokens--
  }

  #fill(): void {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) / this.#idle.spacingMs)
    this.#filledAt = now
  }

  /** Whether the last answer came at once with nothing new. */
  answered(isIdle: boolean): void {
    if (isIdle === this.#isIdle) return
    this.#isIdle = isIdle
    this.#idle.count += isIdle ? 1 : -1
  }

  /** The query is not asked any more. */
  close(): void {
    this.answered(false)
  }
}
