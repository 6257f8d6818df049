// The number of the minute, kept by one timer, so that whoever counts can tell a new window without reading a clock. Minutes end
// with those of the wall clock, so that figures of several processes are of the same time.
import type { Cancel, Clock } from '../../watch/clock.ts'

const minuteMs = 60_000

/** Counts minutes from its making until it is closed; the first lasts half a minute to one and a half. */
export class Minutes {
  now = 0
  readonly #clock: Clock
  #began: number
  #lastMs = 0
  #cancel: Cancel

  constructor(clock: Clock) {
    this.#clock = clock
    this.#began = clock.monotonic()
    this.#cancel = this.#arm()
  }

  /** How long this minute and the last one are until now. */
  get recentMs(): number {
    return this.#clock.monotonic() - this.#began + this.#lastMs
  }

  close(): void {
    this.#cancel()
  }

  #arm(): Cancel {
    const leftMs = minuteMs - (this.#clock.now() % minuteMs)
    // A timer that is early by a little, or a clock that was set, makes no short minute.
    return this.#clock.after(leftMs < minuteMs / 2 ? leftMs + minuteMs : leftMs, () => {
      const now = this.#clock.monotonic()
      this.now++
      this.#lastMs = now - this.#began
      this.#began = now
      this.#cancel = this.#arm()
    })
  }
}
