// One line in the log for a trouble that comes again and again: the first at warn, repeats at debug, the end at info.
import { NamingError } from '../naming/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Clock } from '../watch/clock.ts'

/** A failure so long after the one before it, in ms, is a new trouble: not everybody says that it works again. */
const quietMs = 10 * 60_000

export class RepeatedFailures {
  readonly #log: Log
  readonly #clock: Clock
  /** When each trouble was last heard of. */
  readonly #failedAt = new Map<string, number>()

  constructor(log: Log, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  /** `what` names the trouble, for people and as its identity. */
  failed(what: string, error: unknown): void {
    const now = this.#clock.monotonic()
    const isRepeat = now - (this.#failedAt.get(what) ?? Number.NEGATIVE_INFINITY) < quietMs
    this.#failedAt.set(what, now)
    const { code } = NamingError.from(error)
    this.#log[isRepeat ? 'debug' : 'warn'](
      { err: error, code, what },
      'the store could not do its own work; it is tried again',
    )
  }

  worked(what: string): void {
    if (this.#failedAt.delete(what)) this.#log.info({ what }, 'the store does its own work again')
  }
}
