// What is served from the snapshot just now, and since when: one outage for all cells of a store. Knows no file and no cell.
import { NamingError } from '../../naming/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'
import { TurnQueue } from '../../watch/turn-queue.ts'
import { isUnavailable } from '../keyed-work.ts'

/** While anything is served from the snapshot. Times in ms since 1970. */
export interface ServedSnapshot {
  /** The kind of the store that is away. */
  readonly store: string
  readonly since: number
  /** When the oldest of what is served was last known to be so. */
  readonly savedAt: number
}

/** What begins to be served. */
interface Begun {
  readonly savedAt: number
  /** Why, and since when the store was waited for, as the clock's monotonic(). */
  readonly error: Error
  readonly waitedSince: number
}

/** Counts who is served, by an object that stands for it; logs where an outage begins and ends. */
export class Outage {
  readonly #store: string
  readonly #clock: Clock
  readonly #log: Log
  readonly #served = new Map<object, number>()
  readonly #waiting = new Set<() => void>()
  readonly #turns: TurnQueue
  #since = 0
  /** When the store last answered anybody, as the clock's monotonic(). */
  #heardAt = Number.NEGATIVE_INFINITY
  /** Nobody has heard of the store since one gave up waiting for it. */
  #isAway = false

  constructor({ store, clock, log }: { readonly store: string; readonly clock: Clock; readonly log: Log }) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#turns = new TurnQueue(clock)
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

  /** Runs `then` when the store turns out to be away, now when that is known, until the returned function is called. */
  whenAway(then: () => void): () => void {
    if (this.#isAway) then()
    else this.#waiting.add(then)
    return () => this.#waiting.delete(then)
  }

  /** Runs work that may be due for thousands at once, some of it in later turns. */
  inTurn(work: () => void): void {
    this.#turns.run(work)
  }

  /** The store has answered somebody: who waits for it still waits for a slow one, or for one answer that is missing. */
  heard(): void {
    this.#heardAt = this.#clock.monotonic()
    this.#isAway = false
  }

  /** Whether the store has answered anybody after this time, as the clock's monotonic(). */
  wasHeardSince(time: number): boolean {
    return this.#heardAt > time
  }

  begin(who: object, { savedAt, error, waitedSince }: Begun): void {
    const isFirst = this.#served.size === 0
    const isKnown = this.#served.has(who)
    this.#served.set(who, savedAt)
    if (isFirst) this.#tellBegin(savedAt, error)
    // One head that cannot be read, where others can, is no outage.
    if (!isKnown && isUnavailable(error) && !this.wasHeardSince(waitedSince)) this.#goneAway()
  }

  #tellBegin(savedAt: number, error: Error): void {
    this.#since = this.#clock.now()
    const facts = { store: this.#store, snapshot: timeText(savedAt), error: error.message }
    this.#log.warn(facts, 'the store is away; the local snapshot is served, marked stale')
  }

  #goneAway(): void {
    this.#isAway = true
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const then of waiting) this.#turns.run(then)
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
