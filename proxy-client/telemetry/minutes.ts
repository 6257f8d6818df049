// The number of the minute, kept by one timer, so that whoever counts can tell a new window without reading a clock.
import type { Cancel, Clock } from '../../watch/clock.ts'

const minuteMs = 60_000

/** Counts minutes from its making until it is closed. */
export class Minutes {
  now = 0
  readonly #clock: Clock
  #began: number
  #cancel: Cancel

  constructor(clock: Clock) {
    this.#clock = clock
    this.#began = clock.monotonic()
    this.#cancel = this.#arm()
  }

  /** How long this minute and the last one are until now. */
  get recentMs(): number {
    return this.#clock.monotonic() - this.#began + (this.now > 0 ? minuteMs : 0)
  }

  close(): void {
    this.#cancel()
  }

  #arm(): Cancel {
    return this.#clock.after(minuteMs, () => {
      this.now++
      this.#began = this.#clock.monotonic()
      this.#cancel = this.#arm()
    })
  }
}
