// The timeout queues of a router, one for each length that its configuration names.
import type { Clock } from '../../watch/clock.ts'
import { TimeoutQueue } from './timeout-queue.ts'

/** Queues are made when they are first asked for, and kept. */
export class TimeoutQueues {
  readonly #clock: Clock
  readonly #byLength = new Map<number, TimeoutQueue>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The queue of timeouts that last `ms` milliseconds. */
  of(ms: number): TimeoutQueue {
    let queue = this.#byLength.get(ms)
    if (queue === undefined) {
      queue = new TimeoutQueue(this.#clock, ms)
      this.#byLength.set(ms, queue)
    }
    return queue
  }

  close(): void {
    for (const queue of this.#byLength.values()) queue.close()
    this.#byLength.clear()
  }
}
