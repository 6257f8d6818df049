// Holds back a sudden loss of many names: that is how a sick backend looks. Counts names and times, knows no endpoints.
import { NamingError } from '../naming/errors.ts'
import type { Log } from '../runtime/log.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import type { DiscoveryMetrics } from './discovery-metrics.ts'
import { type GuardedName, Seat, SeatGroup, type SeatKeeper } from './guard-seat.ts'
import type { HeldName, NamerGuard } from './namer.ts'

/** When more than `maxShare` of the names that have or had endpoints within `windowMs` lose them all, and at least `minNames` do. */
export interface MassEmptyRule {
  readonly maxShare: number
  readonly windowMs: number
  readonly minNames: number
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

/** So many names are told what befalls them in one turn of the event loop: much may hang on each. */
export const toldPerTurn = 512

export class MassEmptyGuard implements NamerGuard, SeatKeeper {
  readonly #options: GuardOptions
  readonly #reason: NamingError
  /** With endpoints. */
  readonly #full = new SeatGroup()
  /** Lost them, and waits for a judgement. */
  readonly #settling = new SeatGroup()
  /** Lost them within the window, and the loss was believed. Older than any that waits. */
  readonly #passed = new SeatGroup()
  readonly #held = new SeatGroup()
  /** An operator released them, and they are to be told. */
  readonly #released = new SeatGroup()
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
    return this.#held.all().map(({ name, since }) => ({ name: name.name, since }))
  }

  release(): number {
    const released = this.#held.all()
    for (const seat of released) seat.moveTo(this.#released)
    this.#tell(released, this.#released, seat => {
      seat.moveTo(undefined)
      seat.name.letGo()
    })
    if (released.length > 0) this.#holdEnded('an operator released them')
    return released.length
  }

  /** A place for one name, which leaves it in the end. */
  seat(name: GuardedName): Seat {
    return new Seat(name, this)
  }

  /** For the seat: it is free now, whatever it was before. */
  gained(seat: Seat): void {
    if (seat.group !== this.#full) this.#free(seat, this.#full, 'they have endpoints again')
  }

  /** For the seat. */
  lost(seat: Seat): boolean {
    if (seat.group !== this.#full) return seat.group === this.#held || seat.group === this.#settling
    seat.since = this.#options.clock.monotonic()
    this.#expire(seat.since)
    const mustWait = this.#settling.size > 0 || this.#observed >= this.#options.rule.minNames
    seat.moveTo(mustWait ? this.#settling : this.#passed)
    if (mustWait) this.#scheduleJudgement()
    return mustWait
  }

  /** For the seat. */
  leave(seat: Seat): void {
    this.#free(seat, undefined, 'the namer closes')
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
    return this.#settling.size + this.#passed.size + this.#held.size
  }

  #free(seat: Seat, group: SeatGroup | undefined, why: string): void {
    const wasHeld = seat.group === this.#held
    seat.moveTo(group)
    if (this.#settling.size === 0) this.close()
    if (!wasHeld) return
    if (this.#held.size === 0) this.#holdEnded(why)
    else this.#options.metrics.held(this.#held.size)
  }

  /** The window ends at the oldest loss that is not judged yet. */
  #expire(now: number): void {
    const from = (this.#settling.first?.since ?? now) - this.#options.rule.windowMs
    for (let seat = this.#passed.first; seat !== undefined && seat.since < from; seat = this.#passed.first) {
      seat.moveTo(undefined)
      seat.name.forget()
    }
  }

  #scheduleJudgement(): void {
    const { clock } = this.#options
    const oldest = this.#settling.first
    if (this.#cancelJudgement !== undefined || oldest === undefined) return
    this.#cancelJudgement = clock.after(Math.max(1, oldest.since + settleMs - clock.monotonic()), () => {
      this.#cancelJudgement = undefined
      this.#judge()
      this.#scheduleJudgement()
    })
  }

  /** The loss that the timer was set for may have ended meanwhile: then it is too early for the others. */
  #judge(): void {
    const { minNames, maxShare } = this.#options.rule
    const now = this.#options.clock.monotonic()
    const oldest = this.#settling.first
    if (oldest === undefined || oldest.since + settleMs > now) return
    this.#expire(now)
    if (this.#gone >= minNames && this.#gone > maxShare * this.#observed) this.#holdAll()
    else this.#passUntil(now - settleMs)
  }

  /** Those that are left over wait for the next judgement, which then comes at once. */
  #passUntil(time: number): void {
    for (let told = 0; told < toldPerTurn; told++) {
      const seat = this.#settling.first
      if (seat === undefined || seat.since > time) return
      seat.moveTo(this.#passed)
      seat.name.pass()
    }
  }

  #holdAll(): void {
    const isNew = this.#held.size === 0
    const since = this.#options.clock.now()
    const seats = [...this.#passed.all(), ...this.#settling.all()]
    for (const seat of seats) {
      seat.moveTo(this.#held)
      seat.since = since
    }
    this.#tell(seats, this.#held, seat => seat.name.hold(this.#reason))
    this.#options.metrics.held(this.#held.size)
    if (isNew) this.#holdBegan()
  }

  /** Those of the seats that are still in the group, over as many turns as it takes. */
  #tell(seats: readonly Seat[], group: SeatGroup, tell: (seat: Seat) => void): void {
    for (const seat of seats.slice(0, toldPerTurn)) if (seat.group === group) tell(seat)
    const left = seats.slice(toldPerTurn)
    if (left.length > 0) this.#options.clock.defer(() => this.#tell(left, group, tell))
  }

  #holdBegan(): void {
    const { log, metrics, source } = this.#options
    metrics.holdBegan()
    const release = `namerctl sources release ${source}`
    log.warn(
      { source, held: this.#held.size, observed: this.#observed, release },
      'many names lost all endpoints at once; the last good ones are kept until they return or are released',
    )
  }

  #holdEnded(why: string): void {
    const { log, metrics, source } = this.#options
    metrics.held(0)
    log.info({ source, why }, 'no name is held back any more')
  }
}
