// Notices that a client makes no progress while it is waited for. Costs nothing while data flows. Knows no protocol.
import type { Timeout, TimeoutQueue } from '../timeout/timeout-queue.ts'

/** Whoever is waited for. */
export interface Watched {
  /** Whether it is its turn: to send, or to read. */
  readonly isAwaited: boolean
  /** Changes whenever something came or went. */
  readonly progress: number
  stalled(): void
}

/** Calls `stalled` when nothing moved for the queue's time, or up to twice that, while the other side was awaited. */
export class ProgressWatch {
  readonly #watched: Watched
  readonly #timeout: Timeout
  #isRunning = false
  #seen = 0

  constructor(watched: Watched, queue: TimeoutQueue) {
    this.#watched = watched
    this.#timeout = queue.create(this.#look)
  }

  /** Whenever it may have become the other side's turn; harmless while it runs. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#seen = this.#watched.progress
    this.#timeout.start()
  }

  stop(): void {
    this.#isRunning = false
    this.#timeout.stop()
  }

  readonly #look = (): void => {
    this.#isRunning = false
    if (!this.#watched.isAwaited) return
    if (this.#watched.progress === this.#seen) this.#watched.stalled()
    else this.start()
  }
}
