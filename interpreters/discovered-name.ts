// One name between its backend's loop and its cell: what the backend says, and what of it is shown when. Endpoints show
// at once. Their loss passes the guard, and a name that is gone passes the hold-down.
import { noSuchReplicas, type ReplicaSet } from '../naming/replica-set.ts'
import type { Sink } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'
import type { DiscoveryMetrics } from './discovery-metrics.ts'
import type { Found, FoundFacts, FoundSink } from './found.ts'
import type { GuardedName, Seat } from './guard-seat.ts'
import { HoldDown } from './hold-down.ts'
import type { MassEmptyGuard } from './mass-empty-guard.ts'
import { PublishedName } from './published-name.ts'

export interface DiscoveredNameOptions {
  readonly emptyIsNeg: boolean
  readonly emptyHoldDownMs: number
  readonly clock: Clock
  readonly metrics: DiscoveryMetrics
  /** Absent when the loss of many names is as good as that of one. */
  readonly guard?: MassEmptyGuard
}

/** The cell of a name, as its source sees it. */
export interface NameCell {
  /** What people see in lists. */
  readonly name: string
  readonly sink: Sink<ReplicaSet>
  /** Keeps the cell open though nobody watches it, until the function that it gives is called. */
  readonly keep: () => () => void
}

/** A name without endpoints, as the backend told of it. */
interface Loss {
  readonly found: Found
  readonly facts: FoundFacts
  /** Since when the name is as good as gone (monotonic); undefined while it is shown, bound to nothing. */
  readonly missingSince: number | undefined
}

const noFacts: FoundFacts = {}
const noUsableReplicas: ReplicaSet = { kind: 'neg', why: 'it exists, but has no usable endpoint' }

/** Its owner closes it. */
export class DiscoveredName implements FoundSink, GuardedName {
  readonly name: string
  readonly #options: DiscoveredNameOptions
  readonly #published: PublishedName
  readonly #holdDown: HoldDown
  readonly #seat: Seat | undefined
  #loss: Loss | undefined
  /** What to show again when the loss turns out to be one of many. */
  #lastGood: ReplicaSet | undefined
  readonly #keep: () => () => void
  /** While it is held: a name that nobody follows forgets what was good, and is wanted again as soon as proxies reconnect. */
  #endKeep: (() => void) | undefined
  #isClosed = false

  constructor({ name, sink, keep }: NameCell, options: DiscoveredNameOptions) {
    this.name = name
    this.#keep = keep
    this.#options = options
    this.#seat = options.guard?.seat(this)
    this.#published = new PublishedName(sink, options.metrics)
    this.#holdDown = new HoldDown(options.clock, options.emptyHoldDownMs, () =>
      this.#published.publish(this.#goneSet()),
    )
  }

  set(found: Found, facts: FoundFacts = noFacts): void {
    if (this.#isClosed) return
    this.#published.heard(facts.version, found.flaw)
    if (found.endpoints.length > 0) this.#showEndpoints(found, facts)
    else this.#lose(found, facts)
  }

  fail(error: Error, retryAt?: number): void {
    if (!this.#isClosed) this.#published.fail(error, retryAt)
  }

  contact(version?: string): void {
    if (!this.#isClosed) this.#published.heard(version)
  }

  pass(): void {
    if (this.#loss !== undefined) this.#showLoss(this.#loss, this.#loss.missingSince)
  }

  hold(reason: Error): void {
    this.#holdDown.present()
    if (this.#lastGood !== undefined) this.#published.publish(this.#lastGood)
    this.#published.doubt(reason)
    this.#endKeep ??= this.#keep()
  }

  /** A hold-down is against blinks, and this is none. */
  letGo(): void {
    this.#lastGood = undefined
    this.#stopKeeping()
    this.#published.trust()
    const isMissing = this.#loss?.missingSince !== undefined
    if (this.#loss !== undefined) this.#showLoss(this.#loss, isMissing ? Number.NEGATIVE_INFINITY : undefined)
  }

  forget(): void {
    this.#lastGood = undefined
  }

  /** Reports are ignored from now on; harmless when called twice. */
  close(): void {
    this.#isClosed = true
    this.#stopKeeping()
    this.#seat?.leave()
    this.#holdDown.close()
  }

  #showEndpoints(found: Found, facts: FoundFacts): void {
    this.#loss = this.#lastGood = undefined
    this.#seat?.gained()
    this.#holdDown.present()
    this.#stopKeeping()
    this.#published.trust()
    this.#published.publish(boundSet(found), facts)
  }

  #stopKeeping(): void {
    this.#endKeep?.()
    this.#endKeep = undefined
  }

  #lose(found: Found, facts: FoundFacts): void {
    const isMissing = !found.exists || this.#options.emptyIsNeg
    const missingSince = isMissing ? (this.#loss?.missingSince ?? this.#options.clock.monotonic()) : undefined
    if (this.#seat !== undefined && this.#loss === undefined) this.#lastGood = this.#published.shown
    this.#loss = { found, facts, missingSince }
    if (!this.#seat?.lost()) this.#showLoss(this.#loss, missingSince)
  }

  #showLoss({ found, facts }: Loss, missingSince: number | undefined): void {
    if (missingSince === undefined) this.#holdDown.present()
    const isGone = missingSince !== undefined && this.#holdDown.missing(missingSince)
    this.#published.publish(isGone ? this.#goneSet() : boundSet({ ...found, endpoints: [] }), facts)
  }

  #goneSet(): ReplicaSet {
    return this.#loss?.found.exists === true ? noUsableReplicas : noSuchReplicas
  }
}

function boundSet({ endpoints, metadata }: Found): ReplicaSet {
  return { kind: 'bound', endpoints, ...(metadata !== undefined && { metadata }) }
}
