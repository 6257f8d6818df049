// How many bytes may be on their way to peers at once. Who finds no room waits until what is on its way has been taken.
// Knows no stream.
import type { Task, WorkQueue } from './work-queue.ts'

/** Those who wait are told when this share of the limit is free, and not one by one. */
const freeShare = 1 / 4

export interface SendBudgetOptions {
  /** In bytes; the message that crosses it is sent. */
  readonly limit: number
  /** Runs those again that waited. */
  readonly queue: WorkQueue
  /** Of which this budget is a part. */
  readonly whole?: SendBudget
}

export class SendBudget {
  readonly #options: SendBudgetOptions
  #waiting: Set<Task> | undefined
  #bytes = 0

  constructor(options: SendBudgetOptions) {
    this.#options = options
  }

  /** On their way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Tasks that found no room in this very budget. */
  get waiting(): number {
    return this.#waiting?.size ?? 0
  }

  /** Whether somebody waits for room here, or in the whole. */
  get isCrowded(): boolean {
    return this.waiting > 0 || this.#options.whole?.isCrowded === true
  }

  /** Whether the task may send. If not, it is queued again once there is room, unless it is forgotten before. */
  admits(task: Task): boolean {
    if (this.#bytes < this.#options.limit) {
      this.#waiting?.delete(task)
      return this.#options.whole?.admits(task) ?? true
    }
    this.#options.whole?.forget(task)
    this.#waiting ??= new Set()
    this.#waiting.add(task)
    return false
  }

  take(bytes: number): void {
    this.#bytes += bytes
    this.#options.whole?.take(bytes)
  }

  /** As many bytes are no longer on their way. */
  give(bytes: number): void {
    this.#bytes -= bytes
    this.#options.whole?.give(bytes)
    if (this.#waiting !== undefined && this.#bytes <= this.#options.limit * (1 - freeShare)) this.#callWaiting()
  }

  forget(task: Task): void {
    this.#waiting?.delete(task)
    this.#options.whole?.forget(task)
  }

  #callWaiting(): void {
    for (const task of this.#waiting ?? []) this.#options.queue.add(task)
    this.#waiting = undefined
  }
}
