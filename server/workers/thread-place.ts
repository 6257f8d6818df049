// One place among the threads: the thread that fills it now, and the one that takes over when that ends unasked.
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

const firstBackoffMs = 100
const maxBackoffMs = 30_000
/** A thread that lived so long was a good one: the next failure is a first one. */
const stableMs = 60_000

/** All that a place asks of a thread. */
interface Thread {
  terminate(): Promise<void>
}

export interface ThreadPlaceOptions<T extends Thread> {
  /** From 1. */
  readonly thread: number
  readonly clock: Clock
  readonly log: Log
  /** Starts a thread; it listens when this resolves. */
  readonly begin: (thread: T) => Promise<void>
  readonly create: (thread: number, onExit: (how: string) => void) => T
  /** Told of each that is gone. */
  readonly onGone: (thread: T) => void
}

export class ThreadPlace<T extends Thread> {
  /** Threads that took the place of one that had ended. */
  restarts = 0
  readonly #options: ThreadPlaceOptions<T>
  #thread: T | undefined
  #failures = 0
  #startedAt = 0
  #cancelRestart: Cancel | undefined
  #isClosing = false

  constructor(options: ThreadPlaceOptions<T>) {
    this.#options = options
  }

  /** The thread that fills it; undefined between two. */
  get thread(): T | undefined {
    return this.#thread
  }

  /** The first thread. Rejects when it cannot start. */
  start(): Promise<void> {
    const { clock, create, thread, begin } = this.#options
    this.#startedAt = clock.monotonic()
    const made: T = create(thread, how => this.#gone(made, how))
    this.#thread = made
    return begin(made)
  }

  /** Starts no other from now on. */
  stop(): void {
    this.#isClosing = true
    this.#cancelRestart?.()
  }

  #gone(gone: T, how: string): void {
    const { clock, log, thread, onGone } = this.#options
    if (this.#thread === gone) this.#thread = undefined
    onGone(gone)
    if (this.#isClosing) return
    if (clock.monotonic() - this.#startedAt >= stableMs) this.#failures = 0
    const waitMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures++, 20))
    log.error({ thread, how, restartInMs: waitMs }, 'a thread ended unasked, and with it its connections')
    this.#cancelRestart = clock.after(waitMs, () => this.#restart())
  }

  #restart(): void {
    const { log, thread } = this.#options
    this.restarts++
    this.start().then(
      () => log.info({ thread }, 'another thread has taken its place'),
      error => {
        log.error({ err: error, thread }, 'a thread could not start')
        return this.#thread?.terminate()
      },
    )
  }
}
