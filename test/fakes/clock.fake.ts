// A clock that stands still until a test moves it.
import type { Cancel, Clock } from '../../watch/clock.ts'

type Timer = { readonly at: number; readonly order: number; readonly run: () => void }

/** Time in ms; `advance` runs what falls due, in order; `turn` runs what was deferred before it was called. */
export class FakeClock implements Clock {
  #now: number
  #order = 0
  readonly #timers = new Set<Timer>()
  #deferred = new Set<() => void>()

  constructor(startMs = 1_700_000_000_000) {
    this.#now = startMs
  }

  now = (): number => this.#now
  monotonic = (): number => this.#now

  after = (ms: number, run: () => void): Cancel => {
    const timer = { at: this.#now + ms, order: this.#order++, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  defer = (run: () => void): Cancel => {
    const entry = (): void => run()
    this.#deferred.add(entry)
    const deferred = this.#deferred
    return () => deferred.delete(entry)
  }

  /** Timers and deferred work that have not run: what a leak test counts. */
  get waiting(): number {
    return this.#timers.size + this.#deferred.size
  }

  /** One turn of the event loop. */
  turn(): void {
    const due = this.#deferred
    this.#deferred = new Set()
    for (const run of due) run()
  }

  /** Turns until nothing is deferred; fails loudly when that never happens. */
  settle(): void {
    for (let turns = 0; this.#deferred.size > 0; turns++) {
      if (turns > 100_000) throw new Error('the deferred work never ends')
      this.turn()
    }
  }

  /** Time goes on while the process does something else: nothing runs. */
  pass(ms: number): void {
    this.#now += ms
  }

  /** Moves time on, running timers at their instants and settling after each. */
  advance(ms: number): void {
    const until = this.#now + ms
    this.settle()
    for (let next = this.#nextBefore(until); next !== undefined; next = this.#nextBefore(until)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.run()
      this.settle()
    }
    this.#now = until
  }

  #nextBefore(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at > until) continue
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
    }
    return next
  }
}
