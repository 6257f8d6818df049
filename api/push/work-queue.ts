// Shares the event loop among streams: each task does small pieces in turn, and no turn lasts long. Knows no task's content.
import type { Cancel, Clock } from '../../watch/clock.ts'
import { BusyShare } from './busy-share.ts'

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
  readonly #busy = new BusyShare()
  #cancel: Cancel | undefined
  #now = 0
  #waited = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The share of the time, 0 to 1, in which there was work, of late. The waits between turns count: transports do their part
   * of the work then, and a thread that has other things to do is loaded as well.
   */
  get load(): number {
    return this.#busy.at(this.#clock.monotonic())
  }

  /** Inside a task's work: when it began, on the monotonic clock. To ask the clock itself costs more than many a task. */
  get now(): number {
    return this.#now
  }

  /** Tasks that waited when the present turn, or the last one, began. */
  get waited(): number {
    return this.#waited
  }

  /** Queues a task; one that is queued already keeps its place. */
  add(task: Task): void {
    this.#tasks.add(task)
    if (this.#cancel === undefined) this.#begin()
  }

  /** Forgets every task. */
  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#tasks.clear()
  }

  #begin(): void {
    this.#busy.turn(true, this.#clock.monotonic())
    this.#cancel = this.#clock.defer(this.#turn)
  }

  readonly #turn = (): void => {
    try {
      this.#work()
    } finally {
      this.#cancel = this.#tasks.size > 0 ? this.#clock.defer(this.#turn) : undefined
      if (this.#cancel === undefined) this.#busy.turn(false, this.#clock.monotonic())
    }
  }

  #work(): void {
    this.#waited = this.#tasks.size
    this.#now = this.#clock.monotonic()
    const endsAt = this.#now + maxTurnMs
    // A task that is put back stands at the end of the set and is met again in this very loop.
    for (const task of this.#tasks) {
      this.#tasks.delete(task)
      if (task.work()) this.#tasks.add(task)
      this.#now = this.#clock.monotonic()
      if (this.#now >= endsAt) return
    }
  }
}
