// Work that is asked for by key: never twice at once for a key, a few keys at a time, again after a failure.
// Knows nothing of what the work is.
import { NamingError } from '../naming/errors.ts'
import type { Cancel, Clock, Random } from '../watch/clock.ts'

export interface KeyedWorkOptions {
  readonly clock: Clock
  readonly random: Random
  /** Keys that are worked on at one time. */
  readonly atOnce: number
  readonly run: (key: string) => Promise<unknown>
  /**
   * Whether the failure is of what all keys need. Then one key at a time is tried, spaced out, until one succeeds: thousands
   * must not knock at the door of a sick backend.
   */
  readonly isOfAll: (error: unknown) => boolean
  /** Told of each failure and of when the work is tried again, in ms since 1970. Must not throw. */
  readonly failed: (key: string, error: unknown, retryAt: number) => void
}

/** The nth wait after failures in a row of a key is drawn evenly from the first up to min(maxRetryMs, minRetryMs * 2^n). */
const minRetryMs = 250
const maxRetryMs = 10_000
/** Between two tries while all fail. */
const spacingMs = 250

interface Job {
  phase: 'waiting' | 'running' | 'resting'
  /** Asked for again while it ran. */
  isDirty: boolean
  failures: number
  cancelRest: Cancel | undefined
}

export class KeyedWork {
  readonly #options: KeyedWorkOptions
  readonly #jobs = new Map<string, Job>()
  readonly #waiting = new Set<string>()
  #running = 0
  /** Set while all fail: the next try waits for it. */
  #spacing: Cancel | undefined
  #allFail = false
  #isStopped = false

  constructor(options: KeyedWorkOptions) {
    this.#options = options
  }

  /** How many keys are worked on, wait, or rest after a failure. */
  get size(): number {
    return this.#jobs.size
  }

  /** Soon, from now on: what is running already does not count. */
  ask(key: string): void {
    if (this.#isStopped) return
    const job = this.#jobs.get(key)
    if (job?.phase === 'running') job.isDirty = true
    else this.#line(key, job ?? { phase: 'waiting', isDirty: false, failures: 0, cancelRest: undefined })
  }

  /** No longer wanted; what runs ends, and is not tried again. */
  drop(key: string): void {
    const job = this.#jobs.get(key)
    if (job === undefined) return
    job.cancelRest?.()
    this.#waiting.delete(key)
    this.#jobs.delete(key)
  }

  /** For good. */
  stop(): void {
    this.#isStopped = true
    this.#spacing?.()
    for (const key of [...this.#jobs.keys()]) this.drop(key)
  }

  #line(key: string, job: Job): void {
    job.cancelRest?.()
    job.cancelRest = undefined
    job.phase = 'waiting'
    job.isDirty = false
    this.#jobs.set(key, job)
    this.#waiting.add(key)
    this.#fill()
  }

  #fill(): void {
    for (const key of this.#waiting) {
      if (this.#spacing !== undefined || this.#running >= (this.#allFail ? 1 : this.#options.atOnce)) return
      this.#waiting.delete(key)
      const job = this.#jobs.get(key)
      if (job !== undefined) this.#start(key, job)
    }
  }

  #start(key: string, job: Job): void {
    job.phase = 'running'
    this.#running++
    this.#run(key).then(
      () => this.#ended(key, job, undefined),
      (error: unknown) => this.#ended(key, job, { error }),
    )
  }

  /** Async, so that work that throws at once is work that failed. */
  async #run(key: string): Promise<void> {
    await this.#options.run(key)
  }

  #ended(key: string, job: Job, failure: { readonly error: unknown } | undefined): void {
    this.#running--
    this.#judge(failure)
    if (this.#jobs.get(key) === job) {
      job.failures = failure === undefined ? 0 : job.failures + 1
      if (failure !== undefined) this.#rest(key, job, failure.error)
      else if (job.isDirty) this.#line(key, job)
      else this.#jobs.delete(key)
    }
    this.#fill()
  }

  #judge(failure: { readonly error: unknown } | undefined): void {
    this.#allFail = failure !== undefined && this.#options.isOfAll(failure.error)
    if (!this.#allFail || this.#spacing !== undefined || this.#isStopped) return
    this.#spacing = this.#options.clock.after(spacingMs, () => {
      this.#spacing = undefined
      this.#fill()
    })
  }

  #rest(key: string, job: Job, error: unknown): void {
    const { clock, random, failed } = this.#options
    const ceilingMs = Math.min(maxRetryMs, minRetryMs * 2 ** job.failures)
    const waitMs = minRetryMs + random() * (ceilingMs - minRetryMs)
    job.phase = 'resting'
    job.cancelRest = clock.after(waitMs, () => this.#line(key, job))
    failed(key, error, clock.now() + waitMs)
  }
}

/** For `isOfAll`, where the work asks a store. */
export const isUnavailable = (error: unknown): boolean => NamingError.from(error).code === 'store-unavailable'
