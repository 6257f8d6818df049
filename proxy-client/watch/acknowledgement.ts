// When a stream has to say what it has received: at once after a quiet time, else once the time between two such words is
// over. Knows no message.
import type { Cancel, Clock } from '../../watch/clock.ts'

const spacingMs = 100

export class Acknowledgement {
  readonly #clock: Clock
  readonly #onDue: () => void
  #isOwed = false
  #isUrgent = false
  /** On the monotonic clock. */
  #lastAt = Number.NEGATIVE_INFINITY
  #cancelTimer: Cancel | undefined

  /** onDue: called when it becomes due by the time alone. */
  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** There is something to acknowledge; urgent: whatever was said just now. */
  owe(isUrgent: boolean): void {
    this.#isOwed = true
    this.#isUrgent ||= isUrgent
    this.#awaitTime()
  }

  /** Whether it is to be said with the next message. */
  get isDue(): boolean {
    return this.#isOwed && (this.#isUrgent || this.#leftMs <= 0)
  }

  /** It is being said. */
  said(): void {
    this.close()
    this.#isOwed = false
    this.#isUrgent = false
    this.#lastAt = this.#clock.monotonic()
  }

  /** Leaves no timer. */
  close(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** Timers know whole milliseconds, and may be a part of one early. */
  #awaitTime(): void {
    const leftMs = this.#leftMs
    if (leftMs <= 0 || this.#cancelTimer !== undefined) return
    this.#cancelTimer = this.#clock.after(Math.ceil(leftMs), () => {
      this.#cancelTimer = undefined
      if (this.isDue) this.#onDue()
      else if (this.#isOwed) this.#awaitTime()
    })
  }

  get #leftMs(): number {
    return this.#lastAt + spacingMs - this.#clock.monotonic()
  }
}
