// Those who wait for something to become known, each no longer than it wants to. Knows nothing of what that is.
import type { Cancel, Clock } from '../../watch/clock.ts'

/** Waits that end together, or singly when their time is up. */
export class Waiters {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#waiting.size
  }

  /** `run` is called once, by `wake` or when `ms` milliseconds have passed, unless the wait is cancelled; it looks itself which it was. */
  wait(ms: number, run: () => void): Cancel {
    const cancel = (): void => {
      stopTimer()
      this.#waiting.delete(end)
    }
    const end = (): void => {
      cancel()
      run()
    }
    const stopTimer = this.#clock.after(Math.max(0, ms), end)
    this.#waiting.add(end)
    return cancel
  }

  /** Ends every wait that began before; what is called may wait anew. */
  wake(): void {
    for (const end of [...this.#waiting]) if (this.#waiting.has(end)) end()
  }
}
