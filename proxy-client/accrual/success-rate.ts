// Leaves an endpoint alone when its success rate, an average in which the newest requests weigh most, is below what is
// required. Counted in requests or in time; before as many, or as long, it judges nothing.
import type { Clock } from '../../watch/clock.ts'
import type { Backoff } from '../retry/backoff.ts'
import type { FailureAccrual } from './accrual.ts'

/** How far a request has moved on from the beginning, in the unit of the window. */
interface Ruler {
  /** For one more request. */
  next(): number
  restart(): void
}

interface SuccessRateOptions {
  /** From 0 to 1; below it an endpoint is left alone. */
  readonly required: number
  /** Requests or milliseconds. */
  readonly window: number
  readonly backoff: Backoff
}

class SuccessRate implements FailureAccrual {
  readonly #required: number
  readonly #window: number
  readonly #backoff: Backoff
  readonly #ruler: Ruler
  /** An endpoint that nothing is known of is taken for a good one; in Finagle its first request counts for all before it. */
  #rate = 1
  #at = 0

  constructor({ required, window, backoff }: SuccessRateOptions, ruler: Ruler) {
    this.#required = required
    this.#window = window
    this.#backoff = backoff
    this.#ruler = ruler
  }

  succeeded(): void {
    this.#observe(1)
  }

  failed(): number | undefined {
    const at = this.#observe(0)
    return at >= this.#window && this.#rate < this.#required ? this.#backoff.next() : undefined
  }

  probeFailed(): number {
    return this.#backoff.next()
  }

  revived(): void {
    this.#ruler.restart()
    this.#rate = 1
    this.#at = 0
    this.#backoff.reset()
  }

  #observe(success: 0 | 1): number {
    const at = this.#ruler.next()
    const kept = Math.exp((this.#at - at) / this.#window)
    this.#rate = success * (1 - kept) + this.#rate * kept
    this.#at = at
    return at
  }
}

class RequestCount implements Ruler {
  #count = 0

  next(): number {
    return ++this.#count
  }

  restart(): void {
    this.#count = 0
  }
}

class Elapsed implements Ruler {
  readonly #clock: Clock
  #since: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  next(): number {
    return this.#clock.monotonic() - this.#since
  }

  restart(): void {
    this.#since = this.#clock.monotonic()
  }
}

/** The window is a number of requests. */
export function createSuccessRate(options: SuccessRateOptions): FailureAccrual {
  return new SuccessRate(options, new RequestCount())
}

/** The window is in milliseconds. */
export function createWindowedSuccessRate(options: SuccessRateOptions, clock: Clock): FailureAccrual {
  return new SuccessRate(options, new Elapsed(clock))
}
