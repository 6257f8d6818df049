// One endpoint in a balancer, and its loan to one request. Both are on the way of every request: fixed shapes, no closures.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { FailureAccrual } from '../accrual/accrual.ts'
import type { Outcome, Pick } from './balancer.ts'
import type { WeightClass } from './weight-classes.ts'

/** Who lends members, and is told when they come back. */
export interface Lender<T> {
  answered(loan: Loan<T>, outcome: 'success' | 'failure'): void
  returned(loan: Loan<T>, outcome: Outcome): void
}

/** Members of every kind have one shape; what only some kinds of balancers use is 0 in the others. */
export class Member<T> {
  readonly target: T
  /** `address:port` */
  readonly key: string
  /** Absent: it is never left alone. */
  readonly accrual: FailureAccrual | undefined
  endpoint: Endpoint
  /** The members of its weight. */
  weightClass: WeightClass<T>
  /** Requests in progress. */
  load = 0
  /** open: its weight class chooses from it; otherwise it stands among the dead. */
  state: 'open' | 'dead' | 'probing' = 'open'
  /** How often it has died. */
  deaths = 0
  /** Not in the set any more, but not gone either. */
  isLeaving = false
  /** It has left for good: only loans still know it. */
  isGone = false
  /** Since the last look at those that are leaving. */
  wasUsed = false
  /** The number of the update that last named it. */
  seenIn = 0
  /** Where it stands in the list or heap that holds it. */
  slot = -1
  /** What that heap goes by: the smaller first, then the smaller turn. */
  rank = 0
  turn = 0
  /** An estimate, as it was at `observedAt`; 0 while nothing is known. */
  latencyMs = 0
  observedAt = 0
  /** Ordinary requests that it has not answered, and since when it is looked at because of them. */
  unanswered = 0
  waitedForSince = 0

  constructor(target: T, key: string, endpoint: Endpoint, parts: MemberParts<T>) {
    this.target = target
    this.key = key
    this.endpoint = endpoint
    this.accrual = parts.accrual
    this.weightClass = parts.weightClass
  }
}

interface MemberParts<T> {
  readonly accrual: FailureAccrual | undefined
  readonly weightClass: WeightClass<T>
}

/** Why a member was lent. lastResort: it is dead, but so are all others. */
export type Errand = 'ordinary' | 'probe' | 'lastResort'

/** A member's loan to one request. */
export class Loan<T> implements Pick<T> {
  readonly target: T
  readonly member: Member<T>
  readonly errand: Errand
  /** How often the member had died when it was lent: what is older than its last death says nothing of it. */
  readonly deaths: number
  /** By `Clock.monotonic`; 0 where latency is not looked at. */
  readonly startedAt: number
  isAnswered = false
  readonly #lender: Lender<T>
  #isOut = true

  constructor(lender: Lender<T>, member: Member<T>, errand: Errand, startedAt: number) {
    this.target = member.target
    this.member = member
    this.errand = errand
    this.deaths = member.deaths
    this.startedAt = startedAt
    this.#lender = lender
  }

  get endpoint(): Endpoint {
    return this.member.endpoint
  }

  answered(outcome: 'success' | 'failure'): void {
    if (!this.#isOut || this.isAnswered) return
    this.#lender.answered(this, outcome)
    this.isAnswered = true
  }

  release(outcome: Outcome): void {
    if (!this.#isOut) return
    this.#isOut = false
    this.#lender.returned(this, outcome)
  }
}
