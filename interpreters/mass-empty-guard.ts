// Holds back a sudden loss of many names: that is how a sick backend looks. Counts names and times, knows no endpoints.
import { NamingError } from '../naming/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import type { DiscoveryMetrics } from './discovery-metrics.ts'
import type { HeldName, NamerGuard } from './namer.ts'

/** When more than `maxShare` of the names that have or had endpoints within `windowMs` lose them all, and at least `minNames` do. */
export interface MassEmptyRule {
  readonly maxShare: number
  readonly windowMs: number
  readonly minNames: number
}

/** A name as its guard sees it. None of these may throw. */
export interface GuardedName {
  readonly name: string
  /** The loss that waited is believed. */
  pass(): void
  /** The loss is not believed: the last good endpoints are shown, stale for this reason, also when the loss was shown. */
  hold(reason: Error): void
  /** The operator says that the loss is real. */
  letGo(): void
  /** The loss is final: the last good endpoints will not be asked for any more. */
  forget(): void
}

export interface GuardOptions {
  readonly rule: MassEmptyRule
  /** The namer's prefix without `/#/`, by which an operator names it. */
  readonly source: string
  readonly clock: Clock
  readonly log: Log
  readonly metrics: DiscoveryMetrics
}

/** A loss waits for so long before it is judged, so that a burst is seen as one; milliseconds. */
export const settleMs = 200

export class MassEmptyGuard implements NamerGuard {
  readonly #options: GuardOptions
  readonly #reason: NamingError
  /** Names with endpoints. */
  readonly #full = new Set<GuardedName>()
  /** Names that lost theirs within the window, oldest first, and when (monotonic). */
  readonly #lost = new Map<GuardedName, number>()
  /** Those of them that wait for a judgement, oldest first. */
  readonly #settling = new Set<GuardedName>()
  /** Names held back, and since when (ms since 1970). */
  readonly #held = new Map<GuardedName, number>()
  #cancelJudgement: Cancel | undefined

  constructor(options: GuardOptions) {
    this.#options = options
    this.#reason = new NamingError(
      'namer-unavailable',
      `many names of ${options.source} lost all endpoints at once, so the last good ones are kept; ` +
        `if the loss is real: namerctl sources release ${options.source}`,
    )
  }

  held(): readonly HeldName[] {
    return Array.from(this.#held, ([{ name }, since]) => ({ name, since }))
  }

  release(): number {
    const names = [...this.#held.keys()]
    this.#held.clear()
    for (const name of names) name.letGo()
    if (names.length > 0) this.#holdEnded('an operator released them')
    return names.length
  }

  /** A well-formed answer gave the name endpoints: it is free, whatever it was before. */
  gained(name: GuardedName): void {
    if (this.#full.has(name)) return
    this.#drop(name, 'they have endpoints again')
    this.#full.add(name)
  }

  /** A well-formed answer gave the name no endpoint. Whether that must not be shown now. */
  lost(name: GuardedName): boolean {
    if (this.#settling.has(name) || this.#held.has(name)) return true
    if (!this.#full.delete(name)) return false
    this.#expire()
    this.#lost.set(name, this.#options.clock.monotonic())
    if (this.#observed < this.#options.rule.minNames) return false
    this.#settling.add(name)
    this.#scheduleJudgement()
    return true
  }

  /** Nobody follows the name any more. */
  leave(name: GuardedName): void {
    this.#full.delete(name)
    this.#drop(name, 'nobody follows them any more')
  }

  /** Drops the timer; harmless when called twice. */
  close(): void {
    this.#cancelJudgement?.()
    this.#cancelJudgement = undefined
  }

  /** Names that have endpoints, or had some within the window, or are held. */
  get #observed(): number {
    return this.#full.size + this.#gone
  }

  /** What is held is part of what is going on, however long ago it was lost. */
  get #gone(): number {
    return this.#lost.size + this.#held.size
  }

  #drop(name: GuardedName, why: string): void {
    this.#lost.delete(name)
    if (this.#settling.delete(name) && this.#settling.size === 0) this.close()
    if (!this.#held.delete(name)) return
    if (this.#held.size === 0) this.#holdEnded(why)
    else this.#options.metrics.held(this.#held.size)
  }

  /** The window ends at the oldest loss that is not judged yet. */
  #expire(): void {
    const from = (this.#oldestSettling() ?? this.#options.clock.monotonic()) - this.#options.rule.windowMs
    for (const [name, lostAt] of this.#lost) {
      if (lostAt >= from) return
      this.#lost.delete(name)
      name.forget()
    }
  }

  #oldestSettling(): number | undefined {
    for (const name of this.#settling) return this.#lost.get(name)
    return undefined
  }

  #scheduleJudgement(): void {
    const oldest = this.#oldestSettling()
    if (this.#cancelJudgement !== undefined || oldest === undefined) return
    const { clock } = this.#options
    this.#cancelJudgement = clock.after(Math.max(1, oldest + settleMs - clock.monotonic()), () => {
      this.#cancelJudgement = undefined
      if ((this.#oldestSettling() ?? 0) + settleMs <= clock.monotonic()) this.#judge()
      this.#scheduleJudgement()
    })
  }

  #judge(): void {
    const { minNames, maxShare } = this.#options.rule
    this.#expire()
    if (this.#gone >= minNames && this.#gone > maxShare * this.#observed) this.#holdAll()
    else this.#passDue()
  }

  #passDue(): void {
    const until = this.#options.clock.monotonic() - settleMs
    for (const name of this.#settling) {
      if ((this.#lost.get(name) ?? until) > until) return
      this.#settling.delete(name)
      name.pass()
    }
  }

  #holdAll(): void {
    const { clock, log, metrics, source } = this.#options
    const isNew = this.#held.size === 0
    const since = clock.now()
    const names = [...this.#lost.keys()]
    this.#lost.clear()
    this.#settling.clear()
    for (const name of names) this.#held.set(name, since)
    for (const name of names) name.hold(this.#reason)
    metrics.held(this.#held.size)
    if (!isNew) return
    metrics.holdBegan()
    const facts = {
      source,
      held: names.length,
      observed: this.#observed,
      release: `namerctl sources release ${source}`,
    }
    log.warn(
      facts,
      'many names lost all endpoints at once; the last good ones are kept until they return or are released',
    )
  }

  #holdEnded(why: string): void {
    const { log, metrics, source } = this.#options
    metrics.held(0)
    log.info({ source, why }, 'no name is held back any more')
  }
}
