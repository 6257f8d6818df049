// Who is served first after a restart: newcomers wait in line until those before them have what they asked for, so that
// memory and work are bounded by the line's width, not by the fleet's size. When the line is full, who comes is sent away: only
// that, for whoever waits here is served sooner than who has to come back. Knows no stream.
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Task, WorkQueue } from './work-queue.ts'

export interface AdmissionOptions {
  readonly clock: Clock
  /** Lets newcomers in, some at a time. */
  readonly queue: WorkQueue
  /** Cost that may be admitted at once; one is a name whose first state is not sent. */
  readonly width?: number
  /** Newcomers that may stand in line. */
  readonly maxWaiting?: number
  /** One has been sent away. */
  readonly onTurnAway?: () => void
}

/** One newcomer. */
export interface Ticket {
  /** It has what it asked for, or is gone: whoever is next may come. Harmless when called twice. */
  leave(): void
}

const defaults = { width: 5_000, maxWaiting: 20_000, onTurnAway: () => {} }
/** Who takes longer than this counts no more, so that slow readers hold up nobody. */
const maxInsideMs = 5_000
const lookMs = 500
/** The speed is known once it has been measured for so long: a server that has just started becomes faster. */
const measureMs = 2_000
/** A piece of work in the queue, about. */
const pieceMs = 1
/** Nobody is sent away for less, or for more. */
const minAwayMs = 1_000
const maxAwayMs = 60_000

interface Newcomer {
  readonly cost: number
  readonly begin: () => void
  readonly turnAway: ((afterMs: number) => void) | undefined
  /** When it entered, then when it was let in; on the monotonic clock. */
  since: number
}

export class Admission implements Task {
  readonly #options: Required<AdmissionOptions>
  /** Both in the order of arrival. */
  readonly #line = new Set<Newcomer>()
  readonly #inside = new Set<Newcomer>()
  #cost = { waiting: 0, inside: 0 }
  /** What was served since there is a line, and since when that is. */
  #served = 0
  #servedSince = 0
  /** When those who were sent away are to be back, on the monotonic clock: one after the other, not at once. */
  #awayUntil = 0
  #cancelLook: Cancel | undefined

  constructor(options: AdmissionOptions) {
    this.#options = { ...defaults, ...options }
  }

  /** Newcomers in line. */
  get waiting(): number {
    return this.#line.size
  }

  /** Cost of those who are served. */
  get admitted(): number {
    return this.#cost.inside
  }

  /**
   * Calls `begin` when its turn comes, before it returns where nobody waits: never later than all before it have left. One
   * that finds the line full is sent away instead: `turnAway` is told, perhaps before this returns, when to come back, in ms.
   * Without it the newcomer waits whatever happens.
   */
  enter(cost: number, begin: () => void, turnAway?: (afterMs: number) => void): Ticket {
    const now = this.#options.clock.monotonic()
    const newcomer: Newcomer = { cost: Math.min(cost, this.#options.width), begin, turnAway, since: now }
    if (this.#line.size === 0 && this.#hasRoom(newcomer)) this.#letIn(newcomer, now)
    else this.#standInLine(newcomer, now)
    return { leave: () => this.#leave(newcomer) }
  }

  /** For the queue: lets some in. */
  work(): boolean {
    const { clock } = this.#options
    const endsAt = clock.monotonic() + pieceMs
    for (const newcomer of this.#line) {
      if (!this.#hasRoom(newcomer)) return false
      const now = clock.monotonic()
      if (now >= endsAt) return true
      this.#leaveLine(newcomer)
      this.#letIn(newcomer, now)
    }
    return false
  }

  #hasRoom({ cost }: Newcomer): boolean {
    return this.#cost.inside === 0 || this.#cost.inside + cost <= this.#options.width
  }

  #letIn(newcomer: Newcomer, now: number): void {
    newcomer.since = now
    this.#inside.add(newcomer)
    this.#cost.inside += newcomer.cost
    newcomer.begin()
  }

  #standInLine(newcomer: Newcomer, now: number): void {
    if (this.#line.size === 0) {
      this.#served = 0
      this.#servedSince = now
    }
    const { maxWaiting } = this.#options
    if (newcomer.turnAway !== undefined && this.#line.size >= maxWaiting) {
      this.#sendAway(newcomer, now)
      return
    }
    this.#line.add(newcomer)
    this.#cost.waiting += newcomer.cost
    this.#cancelLook ??= this.#options.clock.after(lookMs, this.#look)
  }

  #leave(newcomer: Newcomer): void {
    if (this.#line.has(newcomer)) this.#leaveLine(newcomer)
    else if (!this.#leaveInside(newcomer)) return
    if (this.#line.size > 0) this.#options.queue.add(this)
  }

  #leaveLine(newcomer: Newcomer): void {
    this.#line.delete(newcomer)
    this.#cost.waiting -= newcomer.cost
    if (this.#line.size > 0) return
    this.#cancelLook?.()
    this.#cancelLook = undefined
  }

  #leaveInside(newcomer: Newcomer): boolean {
    if (!this.#inside.delete(newcomer)) return false
    this.#cost.inside -= newcomer.cost
    this.#served += newcomer.cost
    return true
  }

  /** Whoever has been inside for too long counts no more. */
  readonly #look = (): void => {
    const { clock, queue } = this.#options
    const now = clock.monotonic()
    this.#cancelLook = clock.after(lookMs, this.#look)
    for (const newcomer of this.#inside) {
      if (now - newcomer.since < maxInsideMs) break
      this.#leaveInside(newcomer)
    }
    queue.add(this)
  }

  #isSpeedKnown(now: number): boolean {
    return this.#served > 0 && now - this.#servedSince >= measureMs
  }

  /** Cost served per millisecond; a guess until it is known. */
  #speed(now: number): number {
    return this.#isSpeedKnown(now) ? this.#served / (now - this.#servedSince) : this.#options.width / minAwayMs
  }

  #sendAway({ cost, turnAway }: Newcomer, now: number): void {
    this.#options.onTurnAway()
    const perCost = 1 / Math.max(this.#speed(now), this.#options.width / maxAwayMs)
    this.#awayUntil = Math.max(this.#awayUntil, now + this.#cost.waiting * perCost) + cost * perCost
    turnAway?.(Math.min(maxAwayMs, Math.max(minAwayMs, this.#awayUntil - now)))
  }
}
