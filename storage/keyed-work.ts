// Work that is asked for by key: never twice at once for a key, a few keys at a time, again after a failure.
// Knows nothing of what the work is.
import type { Cancel, Clock, Random } from '../watch/clock.ts'

export interface KeyedWorkOptions {
  readonly clock: Clock
  readonly random: Random
  /** Keys that are worked on at one time. */
  readonly atOnce: number
  readonly run: (key: string) => Promise<void>
  /** Told of each failure and of when the work is tried again, in ms since 1970. Must not throw. */
  readonly failed: (key: string, error: unknown, retryAt: number) => void
}

/** The nth wait after failures in a row is drawn evenly from this up to min(maxRetryMs, minRetryMs * 2^n). */
const minRetryMs = 250
const maxRetryMs = 10_000

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
      if (this.#running >= this.#options.atOnce) return
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
    if (this.#jobs.get(key) === job) {
      job.failures = failure === undefined ? 0 : job.failures + 1
      if (failure !== undefined) this.#rest(key, job, failure.error)
      else if (job.isDirty) this.#line(key, job)
      else this.#jobs.delete(key)
    }
    this.#fill()
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
