// What balancers of every kind share: members over updates, weights, endpoints that are left alone after failures, and what to
// do when nothing good is left. The kind comes in as a chooser. `pick` and `release` allocate one loan and no more.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Balancer, BalancerOptions, MemberReport, Outcome, Pick } from './balancer.ts'
import type { CreateChooser } from './chooser.ts'
import { DeadMembers } from './dead-members.ts'
import { type Errand, type Lender, Loan, Member } from './member.ts'
import { Members } from './members.ts'
import type { PeakLatency } from './peak-latency.ts'
import { WeightClasses } from './weight-classes.ts'

/** What tells one kind from another. */
export interface KindOptions<T> {
  readonly createChooser: CreateChooser<T>
  /** Choices before every endpoint is looked at, when they give only what is to be avoided. */
  readonly maxEffort: number
  /** Absent where latency is not looked at. */
  readonly latency?: PeakLatency
}

export interface EndpointBalancerOptions<T> extends BalancerOptions<T>, KindOptions<T> {
  readonly isProbationEnabled: boolean
}

const nothing: readonly never[] = []

/** How many are probed before their time for one that lives again: more with each that does, few when no other does. */
const hastenedByOne = 2

export class EndpointBalancer<T> implements Balancer<T>, Lender<T> {
  readonly #options: EndpointBalancerOptions<T>
  readonly #members: Members<T>
  readonly #open: WeightClasses<T>
  readonly #dead: DeadMembers<T>
  /** All were dead, and some of them are still. */
  #isRecovering = false

  constructor(options: EndpointBalancerOptions<T>) {
    this.#options = options
    this.#open = new WeightClasses(options.random, options.createChooser)
    this.#dead = new DeadMembers(options.random)
    this.#members = new Members({
      clock: options.clock,
      isProbationEnabled: options.isProbationEnabled,
      join: this.#join,
      change: this.#change,
      leave: this.#leave,
    })
  }

  get size(): number {
    return this.#members.size
  }

  update(endpoints: readonly Endpoint[]): void {
    this.#members.update(endpoints)
  }

  pick(avoid: readonly T[] = nothing): Pick<T> | undefined {
    if (avoid.length > 0) return this.#pickOther(avoid)
    const { nextDueAt } = this.#dead
    if (nextDueAt !== Number.POSITIVE_INFINITY && nextDueAt <= this.#options.clock.monotonic()) return this.#probe()
    const member = this.#open.choose()
    if (member !== undefined) return this.#lend(member, 'ordinary')
    const dead = this.#dead.choose()
    return dead && this.#lend(dead, 'lastResort')
  }

  *targets(): Iterable<T> {
    for (const { target } of this.#members.all()) yield target
  }

  report(): readonly MemberReport[] {
    const now = this.#options.clock.monotonic()
    return Array.from(this.#members.all(), member => ({
      address: member.key,
      weight: member.endpoint.weight,
      load: member.load,
      state: member.isLeaving ? 'leaving' : member.state,
      ...this.#reportLatency(member, now),
    }))
  }

  close(): void {
    this.#members.close()
  }

  /** @internal */
  answered(loan: Loan<T>, outcome: 'success' | 'failure'): void {
    const { member } = loan
    this.#learn(loan, outcome)
    if (member.isGone || member.state === 'open') return
    if (outcome === 'success' && loan.deaths === member.deaths) this.#revive(member)
  }

  /** @internal */
  returned(loan: Loan<T>, outcome: Outcome): void {
    const { member } = loan
    member.load--
    if (!loan.isAnswered) this.#learn(loan, outcome)
    if (member.isGone) return
    if (member.state === 'open') this.#returnedOpen(member, outcome)
    else if (loan.deaths === member.deaths) this.#returnedDead(loan, outcome)
  }

  #lend(member: Member<T>, errand: Errand): Loan<T> {
    member.load++
    member.wasUsed = true
    if (errand !== 'ordinary') return new Loan(this, member, errand, 0)
    member.weightClass.chooser.began(member)
    const { latency, clock } = this.#options
    if (latency === undefined) return new Loan(this, member, errand, 0)
    const now = clock.monotonic()
    latency.began(member, now)
    return new Loan(this, member, errand, now)
  }

  #probe(): Pick<T> | undefined {
    const member = this.#dead.probeFirst()
    if (member === undefined) return undefined
    this.#options.onAccrual?.probed()
    return this.#lend(member, 'probe')
  }

  /** A request that is tried again is never a probe. */
  #pickOther(avoid: readonly T[]): Pick<T> | undefined {
    for (let effort = 0; effort < this.#options.maxEffort; effort++) {
      const member = this.#open.choose()
      if (member === undefined) break
      if (!avoid.includes(member.target)) return this.#lend(member, 'ordinary')
    }
    let best: Member<T> | undefined
    for (const member of this.#members.all()) {
      if (!avoid.includes(member.target) && (best === undefined || isPreferred(member, best))) best = member
    }
    return best && this.#lend(best, best.state === 'open' ? 'ordinary' : 'lastResort')
  }

  #returnedOpen(member: Member<T>, outcome: Outcome): void {
    member.weightClass.chooser.ended(member)
    if (outcome === 'success') member.accrual?.succeeded()
    else if (outcome === 'aborted') return
    else if (member.isLeaving) this.#members.remove(member)
    else this.#failed(member)
  }

  /** Once of each loan. Nothing from what went to a dead member. */
  #learn({ member, errand, startedAt }: Loan<T>, outcome: Outcome): void {
    const { latency, clock } = this.#options
    if (latency === undefined || errand !== 'ordinary') return
    const now = clock.monotonic()
    latency.ended(member, now, now - startedAt, outcome)
  }

  #failed(member: Member<T>): void {
    const ms = member.accrual?.failed()
    if (ms === undefined) return
    member.deaths++
    this.#open.remove(member)
    this.#dead.add(member, this.#options.clock.monotonic() + ms)
    this.#options.onAccrual?.removed()
  }

  /** Of a loan since it died; what began before says nothing more. */
  #returnedDead({ member, errand }: Loan<T>, outcome: Outcome): void {
    if (outcome === 'success') {
      this.#revive(member)
      return
    }
    if (errand === 'lastResort') return
    const ms = outcome === 'aborted' ? 0 : (member.accrual?.probeFailed() ?? 0)
    this.#dead.postpone(member, this.#options.clock.monotonic() + ms)
  }

  #revive(member: Member<T>): void {
    if (this.#open.size === 0) this.#isRecovering = true
    this.#dead.remove(member)
    member.state = 'open'
    member.accrual?.revived()
    this.#open.add(member)
    this.#options.onAccrual?.revived()
    if (this.#dead.size === 0) this.#isRecovering = false
    // What took all away at once has ended for one: it need not carry the load of all until the others' time has come.
    if (this.#isRecovering) this.#dead.hasten(this.#options.clock.monotonic(), hastenedByOne)
  }

  #reportLatency(member: Member<T>, now: number): { readonly latencyMs?: number } {
    const latencyMs = this.#options.latency?.estimate(member, now) ?? 0
    return latencyMs === 0 ? {} : { latencyMs }
  }

  readonly #join = (key: string, endpoint: Endpoint): Member<T> => {
    const { open, accrual } = this.#options
    const weightClass = this.#open.of(endpoint.weight)
    const member = new Member(open(endpoint), key, endpoint, { accrual: accrual?.(), weightClass })
    this.#open.add(member)
    return member
  }

  readonly #change = (member: Member<T>, endpoint: Endpoint): void => {
    const isMoved = member.state === 'open' && endpoint.weight !== member.endpoint.weight
    if (isMoved) this.#open.remove(member)
    member.endpoint = endpoint
    if (isMoved) this.#open.add(member)
  }

  readonly #leave = (member: Member<T>): void => {
    if (member.state === 'open') this.#open.remove(member)
    else this.#dead.remove(member)
    this.#options.close(member.target)
  }
}

/** An open one before a dead one, then the less loaded. */
function isPreferred<T>(a: Member<T>, b: Member<T>): boolean {
  const isOpen = a.state === 'open'
  return isOpen === (b.state === 'open') ? a.load < b.load : isOpen
}
