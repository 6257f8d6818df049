// When a stream has to say what it has received: at once after a quiet time, else once the time between two such words is
// over; a random while later where the server asks for that. Knows no message.
import type { Cancel, Clock, Random } from '../../watch/clock.ts'

const spacingMs = 100

export interface AcknowledgementOptions {
  readonly clock: Clock
  readonly random: Random
  /** Called when it becomes due by the time alone. */
  readonly onDue: () => void
}

export class Acknowledgement {
  readonly #options: AcknowledgementOptions
  /** When it is due; undefined when nothing is owed. On the monotonic clock, as the next two. */
  #dueAt: number | undefined
  #lastAt = Number.NEGATIVE_INFINITY
  #receivedAt = 0
  #cancelTimer: Cancel | undefined

  constructor(options: AcknowledgementOptions) {
    this.#options = options
  }

  /**
   * There is something to acknowledge; urgent: at once, whatever was said just now. `withinMs`: at a random moment within that
   * time, unless something is owed already.
   */
  owe(isUrgent: boolean, withinMs = 0): void {
    const { clock, random } = this.#options
    const now = clock.monotonic()
    this.#receivedAt = now
    if (isUrgent) this.#dueAt = now
    else this.#dueAt ??= Math.max(this.#lastAt + spacingMs, now + random() * withinMs)
    this.#awaitTime()
  }

  /** Whether it is to be said with the next message. */
  get isDue(): boolean {
    return this.#dueAt !== undefined && this.#leftMs <= 0
  }

  /** It is being said; gives how long ago what it says was received, in whole ms. */
  said(): number {
    this.close()
    const now = this.#options.clock.monotonic()
    this.#dueAt = undefined
    this.#lastAt = now
    return Math.max(0, Math.trunc(now - this.#receivedAt))
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
    this.#cancelTimer = this.#options.clock.after(Math.ceil(leftMs), () => {
      this.#cancelTimer = undefined
      if (this.isDue) this.#options.onDue()
      else if (this.#dueAt !== undefined) this.#awaitTime()
    })
  }

  get #leftMs(): number {
    return (this.#dueAt ?? 0) - this.#options.clock.monotonic()
  }
}
