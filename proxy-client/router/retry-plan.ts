// How often one request is tried again because of what came back, and after which waits. Knows no endpoints.
import type { Backoff } from '../retry/backoff.ts'
import type { Service } from '../service/service.ts'

/** Times that one request is tried again, whatever the budget holds. */
const maxRetries = 25

/** Made for a request whose first failure may be retried. */
export class RetryPlan {
  /** Before the retry that was taken last. */
  waitMs = 0
  readonly #service: Service
  readonly #backoff: Backoff
  #retries = 0

  constructor(service: Service) {
    this.#service = service
    this.#backoff = service.createBackoff()
  }

  /** Takes another retry from the budget of the service; false when it may not be, or could not begin within `leftMs`. */
  tryTake(leftMs: number): boolean {
    if (this.#retries >= maxRetries) return false
    this.waitMs = this.#backoff.next()
    if (leftMs <= this.waitMs) return false
    const { budget, stats } = this.#service
    if (!budget.tryWithdraw()) {
      stats.budgetExhausted()
      return false
    }
    stats.retried()
    this.#retries++
    return true
  }
}
