// Leaves an endpoint alone after so many failures in a row.
import type { Backoff } from '../retry/backoff.ts'
import type { FailureAccrual } from './accrual.ts'

export class ConsecutiveFailures implements FailureAccrual {
  readonly #limit: number
  readonly #backoff: Backoff
  #failures = 0

  constructor(limit: number, backoff: Backoff) {
    this.#limit = limit
    this.#backoff = backoff
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(): number | undefined {
    this.#failures++
    return this.#failures < this.#limit ? undefined : this.#backoff.next()
  }

  probeFailed(): number {
    return this.#backoff.next()
  }

  revived(): void {
    this.#failures = 0
    this.#backoff.reset()
  }
}
