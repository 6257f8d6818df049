// When the last good state is written: soon after a change, not more than once in some seconds, and at the end.
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { pause } from '../../watch/pause.ts'

/** Changes that come together are written together, in milliseconds. */
const settleMs = 1_000
/** Between two writes, at least. */
const betweenMs = 10_000
/** What does not change is confirmed so often. */
const refreshMs = 3_600_000
const retryMs = 30_000
/** A stop waits so long for a disk that does not answer. */
const mostFlushMs = 3_000

export interface GoodWriterOptions {
  readonly clock: Clock
  readonly log: Log
  /** For messages. */
  readonly path: string
  /** Writes all there is; may reject. */
  readonly write: () => Promise<void>
}

/** Nothing here rejects: a disk that fails is logged once, and tried again. */
export class GoodWriter {
  readonly #options: GoodWriterOptions
  #timer: Cancel | undefined
  #running: Promise<void> | undefined
  #isDirty = false
  #isClosed = false
  #hasFailed = false
  /** As the clock's monotonic(). */
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(options: GoodWriterOptions) {
    this.#options = options
  }

  /** There is something new to be written. */
  changed(): void {
    if (this.#isDirty || this.#isClosed) return
    this.#isDirty = true
    this.#schedule(Math.max(settleMs, this.#notBefore - this.#options.clock.monotonic()))
  }

  /** Writes at once what is not written yet; resolves when that is done, has failed or takes too long. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.()
    const bound = new AbortController()
    await Promise.race([this.#finish(), pause(this.#options.clock, mostFlushMs, bound.signal)])
    bound.abort()
  }

  async #finish(): Promise<void> {
    await this.#running
    if (this.#isDirty) await this.#run()
  }

  #schedule(ms: number): void {
    if (this.#running !== undefined) return
    this.#timer?.()
    this.#timer = this.#options.clock.after(ms, () => {
      this.#timer = undefined
      this.#running = this.#run().then(() => this.#rest())
    })
  }

  #rest(): void {
    this.#running = undefined
    if (this.#isClosed) return
    if (this.#hasFailed) this.#schedule(retryMs)
    else this.#schedule(this.#isDirty ? betweenMs : refreshMs)
  }

  async #run(): Promise<void> {
    const { clock, log, path, write } = this.#options
    this.#isDirty = false
    this.#notBefore = clock.monotonic() + betweenMs
    try {
      await write()
      if (this.#hasFailed) log.info({ path }, 'the last good state is written again')
      this.#hasFailed = false
    } catch (error) {
      if (this.#hasFailed) log.debug({ err: error, path }, 'the last good state still cannot be written')
      else
        log.warn(
          { err: error, path },
          'the last good state cannot be written; a restart without a server would know less',
        )
      this.#hasFailed = true
      this.#isDirty = true
    }
  }
}
