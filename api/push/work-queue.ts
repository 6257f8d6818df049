// Shares the event loop among streams: each task does small pieces in turn, and no turn lasts long. Knows no task's content.
import type { Cancel, Clock } from '../../watch/clock.ts'

/** A turn of the event loop spends at most about this long here. */
const maxTurnMs = 5

/** Something with work to do. */
export interface Task {
  /** Does about a millisecond of work; true when more could be done now. Must not throw. */
  work(): boolean
}

/** Runs tasks round robin, at the next turn of the event loop and for a few milliseconds in each. */
export class WorkQueue {
  readonly #clock: Clock
  readonly #tasks = new Set<Task>()
  #cancel: Cancel | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Queues a task; one that is queued already keeps its place. */
  add(task: Task): void {
    this.#tasks.add(task)
    this.#cancel ??= this.#clock.defer(this.#turn)
  }

  /** Forgets every task. */
  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#tasks.clear()
  }

  readonly #turn = (): void => {
    this.#cancel = undefined
    const endsAt = this.#clock.monotonic() + maxTurnMs
    // A task that is put back stands at the end of the set and is met again in this very loop.
    for (const task of this.#tasks) {
      this.#tasks.delete(task)
      if (task.work()) this.#tasks.add(task)
      if (this.#clock.monotonic() >= endsAt) break
    }
    if (this.#tasks.size > 0) this.#cancel ??= this.#clock.defer(this.#turn)
  }
}
