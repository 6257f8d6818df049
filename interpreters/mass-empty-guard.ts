// Holds back a sudden loss of many names: that is how a sick backend looks. Counts names and times, knows no endpoints.
import { NamingError } from '../naming/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import type { DiscoveryMetrics } from './discovery-metrics.ts'
import { LossWindow } from './loss-window.ts'
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
  /** Names that lost theirs and are not held. */
  readonly #lost = new LossWindow<GuardedName>()
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
    if (this.#held.has(name) || this.#lost.isSettling(name)) return true
    if (!this.#full.delete(name)) return false
    const now = this.#options.clock.monotonic()
    this.#expire(now)
    const mustWait = this.#lost.settlingSince !== undefined || this.#observed + 1 >= this.#options.rule.minNames
    this.#lost.add(name, now, mustWait)
    if (mustWait) this.#scheduleJudgement()
    return mustWait
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
    if (this.#lost.settlingSince === undefined) this.close()
    if (!this.#held.delete(name)) return
    if (this.#held.size === 0) this.#holdEnded(why)
    else this.#options.metrics.held(this.#held.size)
  }

  /** The window ends at the oldest loss that is not judged yet. */
  #expire(now: number): void {
    const from = (this.#lost.settlingSince ?? now) - this.#options.rule.windowMs
    this.#lost.expire(from, name => name.forget())
  }

  #scheduleJudgement(): void {
    const { clock } = this.#options
    const { settlingSince } = this.#lost
    if (this.#cancelJudgement !== undefined || settlingSince === undefined) return
    this.#cancelJudgement = clock.after(Math.max(1, settlingSince + settleMs - clock.monotonic()), () => {
      this.#cancelJudgement = undefined
      this.#judge()
      this.#scheduleJudgement()
    })
  }

  /** The loss that the timer was set for may have ended meanwhile: then it is too early for the others. */
  #judge(): void {
    const { minNames, maxShare } = this.#options.rule
    const now = this.#options.clock.monotonic()
    const { settlingSince } = this.#lost
    if (settlingSince === undefined || settlingSince + settleMs > now) return
    this.#expire(now)
    if (this.#gone >= minNames && this.#gone > maxShare * this.#observed) this.#holdAll()
    else this.#lost.passUntil(now - settleMs, name => name.pass())
  }

  #holdAll(): void {
    const { clock, log, metrics, source } = this.#options
    const isNew = this.#held.size === 0
    const since = clock.now()
    const names = this.#lost.clear()
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
