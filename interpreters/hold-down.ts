// How long a name that was there must be gone before it is shown as gone, so that a blink moves no traffic. Knows neither
// names nor backends.
import type { Cancel, Clock } from '../watch/clock.ts'

/** One name's hold-down. Its owner closes it. */
export class HoldDown {
  readonly #clock: Clock
  readonly #holdDownMs: number
  readonly #onOver: () => void
  #isShown = false
  #cancel: Cancel | undefined

  /** `onOver` runs when the name is to be shown as gone, unless `missing` said so already. */
  constructor(clock: Clock, holdDownMs: number, onOver: () => void) {
    this.#clock = clock
    this.#holdDownMs = holdDownMs
    this.#onOver = onOver
  }

  /** The name is there, and shown at once. */
  present(): void {
    this.close()
    this.#isShown = true
  }

  /** The name is missing since then (monotonic). Whether it is to be shown as gone now: one that was not shown always is. */
  missing(since: number): boolean {
    const leftMs = since + this.#holdDownMs - this.#clock.monotonic()
    if (!this.#isShown || leftMs <= 0) {
      this.gone()
      return true
    }
    this.#cancel ??= this.#clock.after(leftMs, () => {
      this.gone()
      this.#onOver()
    })
    return false
  }

  /** The name is gone, and shown so without a wait. */
  gone(): void {
    this.close()
    this.#isShown = false
  }

  /** Drops the timer; harmless when called twice. */
  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}
