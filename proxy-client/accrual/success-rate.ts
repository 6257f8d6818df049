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

class SuccessRate implements FailureAccrual {
  readonly #required: number
  readonly #window: number
  readonly #backoff: Backoff
  readonly #ruler: Ruler
  #rate = 1
  #at: number | undefined

  constructor(required: number, window: number, backoff: Backoff, ruler: Ruler) {
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
    this.#at = undefined
    this.#backoff.reset()
  }

  #observe(success: 0 | 1): number {
    const at = this.#ruler.next()
    const kept = this.#at === undefined ? 0 : Math.exp((this.#at - at) / this.#window)
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

/** Over the last `requests`. */
export function createSuccessRate(required: number, requests: number, backoff: Backoff): FailureAccrual {
  return new SuccessRate(required, requests, backoff, new RequestCount())
}

/** Over the last `windowMs`. */
export function createWindowedSuccessRate(
  required: number,
  windowMs: number,
  backoff: Backoff,
  clock: Clock,
): FailureAccrual {
  return new SuccessRate(required, windowMs, backoff, new Elapsed(clock))
}
