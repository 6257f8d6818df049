// Many timeouts of one length under one timer: starting and stopping costs a few assignments, for it happens on every
// request. Knows nothing of what times out.
import type { Cancel, Clock } from '../../watch/clock.ts'

/** One owner's timeout, made once and started as often as needed. */
export interface Timeout {
  /** Starts it, anew when it runs. */
  start(): void
  /** Harmless when it does not run. */
  stop(): void
}

class Entry implements Timeout {
  readonly #queue: TimeoutQueue
  readonly run: () => void
  before: Entry | undefined
  after: Entry | undefined
  dueAt = 0
  isRunning = false

  constructor(queue: TimeoutQueue, run: () => void) {
    this.#queue = queue
    this.run = run
  }

  start(): void {
    this.#queue.start(this)
  }

  stop(): void {
    this.#queue.stop(this)
  }
}

/** Timeouts that all last `ms` milliseconds, in the order of their start. Holds a timer while any of them runs. */
export class TimeoutQueue {
  readonly #clock: Clock
  /** How long each lasts. */
  readonly ms: number
  #oldest: Entry | undefined
  #newest: Entry | undefined
  #timer: Cancel | undefined

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.ms = ms
  }

  /** `run` is called once for each start that is not stopped in time. */
  create(run: () => void): Timeout {
    return new Entry(this, run)
  }

  /** @internal */
  start(entry: Entry): void {
    if (entry.isRunning) this.#unlink(entry)
    entry.isRunning = true
    entry.dueAt = this.#clock.monotonic() + this.ms
    entry.before = this.#newest
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.after = entry
    this.#newest = entry
    this.#timer ??= this.#clock.after(this.ms, this.#expire)
  }

  /** @internal */
  stop(entry: Entry): void {
    if (!entry.isRunning) return
    entry.isRunning = false
    this.#unlink(entry)
  }

  /** Stops every one of them, and the timer. */
  close(): void {
    this.#timer?.()
    this.#timer = undefined
    while (this.#oldest !== undefined) this.stop(this.#oldest)
  }

  #unlink(entry: Entry): void {
    const { before, after } = entry
    if (before === undefined) this.#oldest = after
    else before.after = after
    if (after === undefined) this.#newest = before
    else after.before = before
    entry.before = undefined
    entry.after = undefined
  }

  readonly #expire = (): void => {
    this.#timer = undefined
    const now = this.#clock.monotonic()
    // What a callback starts is due later than `now`.
    for (let entry = this.#oldest; entry !== undefined && entry.dueAt <= now; entry = this.#oldest) {
      this.stop(entry)
      entry.run()
    }
    const oldest = this.#oldest
    if (oldest !== undefined) this.#timer ??= this.#clock.after(Math.max(1, oldest.dueAt - now), this.#expire)
  }
}
