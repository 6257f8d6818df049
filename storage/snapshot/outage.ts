// What is served from the snapshot just now, and since when: one outage for all cells of a store. Knows no file and no cell.
import { NamingError } from '../../naming/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'

/** While anything is served from the snapshot. Times in ms since 1970. */
export interface ServedSnapshot {
  /** The kind of the store that is away. */
  readonly store: string
  readonly since: number
  /** When the oldest of what is served was last known to be so. */
  readonly savedAt: number
}

/** Counts who is served, by an object that stands for it; logs where an outage begins and ends. */
export class Outage {
  readonly #store: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #served = new Map<object, number>()
  readonly #waiting = new Set<() => void>()
  #since = 0

  constructor({ store, clock, log }: { readonly store: string; readonly clock: Clock; readonly log: Log }) {
    this.#store = store
    this.#clock = clock
    this.#log = log
  }

  get served(): ServedSnapshot | undefined {
    if (this.#served.size === 0) return undefined
    const savedAt = [...this.#served.values()].reduce((a, b) => Math.min(a, b))
    return { store: this.#store, since: this.#since, savedAt }
  }

  /** What the snapshot is served for, in a form that people read. */
  reason(error: Error, savedAt: number): NamingError {
    const why = error.message.replace(/\.$/, '')
    const said = `The store ${this.#store} is away (${why}). This is the local snapshot of ${timeText(savedAt)}.`
    return new NamingError('store-unavailable', said, { cause: error })
  }

  /** Runs `then` when an outage begins, now while there is one, until the returned function is called. */
  whenBegun(then: () => void): () => void {
    if (this.#served.size > 0) then()
    else this.#waiting.add(then)
    return () => this.#waiting.delete(then)
  }

  begin(who: object, savedAt: number, error: Error): void {
    const isFirst = this.#served.size === 0
    this.#served.set(who, savedAt)
    if (!isFirst) return
    this.#since = this.#clock.now()
    const facts = { store: this.#store, snapshot: timeText(savedAt), error: error.message }
    this.#log.warn(facts, 'the store is away; the local snapshot is served, marked stale')
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const then of waiting) then()
  }

  end(who: object): void {
    if (!this.#served.delete(who) || this.#served.size > 0) return
    this.#log.info({ store: this.#store }, 'the local snapshot is no longer served')
  }
}

function timeText(ms: number): string {
  // biome-ignore lint/style/noRestrictedGlobals: formats an instant that the injected clock gave
  return new Date(ms).toISOString()
}
