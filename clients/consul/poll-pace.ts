// How often one query may be asked, whatever the agent answers: a token bucket. Knows nothing of requests.
import type { Clock } from '../../watch/clock.ts'
import { defaultMinSpacingMs } from './options.ts'

const burst = 2
const rounding = 1e-9
const longestMs = 4000
/** All queries together that are answered at once with nothing new are asked at most so often. */
const idlePerSecond = 200
/** Answers with news are taken in for a fifth of the time, as long as the shortest spacing allows that. */
const restPerWork = 4

/** How many queries are at present answered at once with nothing new. One for all queries of an agent. */
export class IdleAnswers {
  count = 0
  readonly #shortestMs: number
  readonly #newsMs: number

  /** `newsMs` between requests whose answers bring news. */
  constructor(shortestMs: number = defaultMinSpacingMs, newsMs: number = shortestMs) {
    this.#shortestMs = shortestMs
    this.#newsMs = newsMs
  }

  /** Between two requests of one query, in milliseconds: the shortest, and more once very many queries are idle. */
  get spacingMs(): number {
    return Math.min(longestMs, Math.max(this.#shortestMs, (this.count * 1000) / idlePerSecond))
  }

  /** The same for a query whose last answer brought news and made so much work, in milliseconds. */
  newsSpacingMs(workMs: number): number {
    return Math.min(this.spacingMs, Math.max(this.#newsMs, workMs * restPerWork))
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
  /** The last answer brought news. */
  #workMs: number | undefined

  constructor(clock: Clock, idle: IdleAnswers) {
    this.#clock = clock
    this.#idle = idle
    this.#filledAt = clock.monotonic()
  }

  /** How long the next request must wait, in milliseconds. */
  delayMs(): number {
    this.#fill()
    const missing = 1 - this.#tokens
    return missing <= rounding ? 0 : missing * this.#spacingMs
  }

  sent(): void {
    this.#fill()
    this.#tokens--
  }

  #fill(): void {
    const now = this.#clock.monotonic()
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#filledAt) / this.#spacingMs)
    this.#filledAt = now
  }

  get #spacingMs(): number {
    return this.#workMs === undefined ? this.#idle.spacingMs : this.#idle.newsSpacingMs(this.#workMs)
  }

  /** The last answer brought news; to take it in took so long, in milliseconds. */
  tookIn(workMs: number): void {
    this.#fill()
    this.#workMs = workMs
  }

  /** Whether the last answer came at once with nothing new. */
  answered(isIdle: boolean): void {
    this.#fill()
    this.#workMs = undefined
    if (isIdle === this.#isIdle) return
    this.#isIdle = isIdle
    this.#idle.count += isIdle ? 1 : -1
  }

  /** The query is not asked any more. */
  close(): void {
    this.answered(false)
  }
}
