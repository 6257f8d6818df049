// One line in the log for a trouble that comes again and again: the first at warn, repeats at debug, the end at info.
import { NamingError } from '../naming/errors.ts'
import type { Log } from '../runtime/log.ts'

export class RepeatedFailures {
  readonly #log: Log
  readonly #failing = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  /** `what` names the trouble, for people and as its identity. */
  failed(what: string, error: unknown): void {
    const level = this.#failing.has(what) ? 'debug' : 'warn'
    this.#failing.add(what)
    const { code } = NamingError.from(error)
    this.#log[level]({ err: error, code, what }, 'the store could not do its own work; it is tried again')
  }

  worked(what: string): void {
    if (this.#failing.delete(what)) this.#log.info({ what }, 'the store does its own work again')
  }
}
