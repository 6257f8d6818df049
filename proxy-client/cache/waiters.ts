// Those who wait for something to become known, each no longer than it wants to. Knows nothing of what that is.
import type { Clock } from '../../watch/clock.ts'

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

  /** Settles when `wake` is called or `ms` milliseconds have passed; the caller looks itself which it was. */
  wait(ms: number): Promise<void> {
    return new Promise(resolve => {
      const end = (): void => {
        cancel()
        this.#waiting.delete(end)
        resolve()
      }
      const cancel = this.#clock.after(Math.max(0, ms), end)
      this.#waiting.add(end)
    })
  }

  wake(): void {
    for (const end of [...this.#waiting]) end()
  }
}
