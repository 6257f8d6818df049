// One place in a fleet: the process that fills it now, and the one that takes over when that ends unasked.
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { RouterAddresses } from '../open-routers.ts'
import type { OnExit, WorkerLink } from './worker-link.ts'

const firstBackoffMs = 100
const maxBackoffMs = 30_000
/** A process that lived so long was a good one: the next failure is a first one. */
const stableMs = 60_000

export interface WorkerSlotOptions {
  readonly worker: number
  readonly clock: Clock
  readonly log: Log
  readonly fork: (worker: number, onExit: OnExit) => WorkerLink
}

export class WorkerSlot {
  readonly worker: number
  /** Processes that took the place of one that had ended. */
  restarts = 0
  readonly #options: WorkerSlotOptions
  #link: WorkerLink | undefined
  #failures = 0
  #forkedAt = 0
  #cancelRestart: Cancel | undefined
  #onEmpty: (() => void) | undefined
  #isClosing = false

  constructor(options: WorkerSlotOptions) {
    this.#options = options
    this.worker = options.worker
  }

  /** The process that fills it; undefined between two. */
  get link(): WorkerLink | undefined {
    return this.#link
  }

  /** The first process. Rejects when it cannot start. */
  start(): Promise<RouterAddresses> {
    return this.#fork().started
  }

  /** Asks the process to end, cuts it after `ms`, and starts no other. */
  async close(ms: number): Promise<void> {
    this.#isClosing = true
    this.#cancelRestart?.()
    const link = this.#link
    if (link === undefined) return
    const gone = new Promise<void>(resolve => {
      this.#onEmpty = resolve
    })
    const cancel = this.#options.clock.after(ms, () => link.kill('SIGKILL'))
    link.kill('SIGTERM')
    await gone
    cancel()
  }

  #fork(): WorkerLink {
    this.#forkedAt = this.#options.clock.monotonic()
    this.#link = this.#options.fork(this.worker, how => this.#gone(how))
    return this.#link
  }

  #gone(how: string): void {
    const link = this.#link
    this.#link = undefined
    this.#onEmpty?.()
    if (this.#isClosing) return
    const { clock, log } = this.#options
    if (clock.monotonic() - this.#forkedAt >= stableMs) this.#failures = 0
    const waitMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(this.#failures++, 20))
    log.error({ worker: this.worker, pid: link?.pid, how, restartInMs: waitMs }, 'a worker ended unasked')
    this.#cancelRestart = clock.after(waitMs, () => this.#restart())
  }

  #restart(): void {
    const { log } = this.#options
    this.restarts++
    this.#forkOrFail()?.started.then(
      () => log.info({ worker: this.worker }, 'another worker has taken its place'),
      error => log.error({ err: error, worker: this.worker }, 'a worker could not start'),
    )
  }

  /** A machine without room for another process now may have some later. */
  #forkOrFail(): WorkerLink | undefined {
    try {
      return this.#fork()
    } catch (error) {
      this.#gone(error instanceof Error ? error.message : String(error))
      return undefined
    }
  }
}
