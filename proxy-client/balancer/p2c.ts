// Power of two choices: of two endpoints drawn by chance, the one with fewer requests in progress.
// Weights are shares of the traffic, as in Finagle: endpoints of equal weight form a class, and a class is drawn first.
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Random } from '../../watch/clock.ts'
import type { Balancer, BalancerOptions, MemberReport, Pick } from './balancer.ts'
import { Loan, type Member, Members } from './members.ts'

export interface P2cOptions<T> extends BalancerOptions<T> {
  /** Draws before every endpoint is looked at, when draws give only what is to be avoided. */
  readonly maxEffort?: number
}

interface WeightClass<T> {
  readonly members: readonly Member<T>[]
  /** Weight of all its members together. */
  readonly weight: number
}

class P2c<T> implements Balancer<T> {
  readonly #random: Random
  readonly #maxEffort: number
  readonly #table: Members<T>
  #members: readonly Member<T>[] = []
  #classes: readonly WeightClass<T>[] = []
  #totalWeight = 0

  constructor(options: P2cOptions<T>) {
    this.#random = options.random
    this.#maxEffort = options.maxEffort ?? 5
    this.#table = new Members(options)
  }

  get size(): number {
    return this.#members.length
  }

  update(endpoints: readonly Endpoint[]): void {
    this.#members = this.#table.update(endpoints)
    this.#classes = classesOf(this.#members)
    this.#totalWeight = this.#classes.reduce((sum, { weight }) => sum + weight, 0)
  }

  pick(avoid: readonly T[] = []): Pick<T> | undefined {
    if (this.#members.length === 0) return undefined
    for (let effort = 0; effort < this.#maxEffort; effort++) {
      const member = this.#drawTwo(this.#drawClass())
      if (member !== undefined && !avoid.includes(member.target)) return new Loan(member)
    }
    const member = leastLoaded(this.#members.filter(({ target }) => !avoid.includes(target)))
    return member && new Loan(member)
  }

  *targets(): Iterable<T> {
    for (const { target } of this.#members) yield target
  }

  report(): readonly MemberReport[] {
    return this.#table.report()
  }

  close(): void {
    this.update([])
  }

  #drawClass(): readonly Member<T>[] {
    let ticket = this.#classes.length > 1 ? this.#random() * this.#totalWeight : 0
    for (const { members, weight } of this.#classes) {
      if (ticket < weight) return members
      ticket -= weight
    }
    return this.#members
  }

  #drawTwo(members: readonly Member<T>[]): Member<T> | undefined {
    const count = members.length
    const at = this.#below(count)
    const first = members[at]
    if (count < 2 || first === undefined) return first
    // One of the others, so that the two always differ.
    const second = members[(at + 1 + this.#below(count - 1)) % count]
    return second !== undefined && second.load < first.load ? second : first
  }

  #below(count: number): number {
    return count === 1 ? 0 : Math.floor(this.#random() * count)
  }
}

function classesOf<T>(members: readonly Member<T>[]): readonly WeightClass<T>[] {
  const byWeight = Map.groupBy(members, member => member.endpoint.weight)
  return [...byWeight].map(([weight, equals]) => ({ members: equals, weight: weight * equals.length }))
}

function leastLoaded<T>(members: readonly Member<T>[]): Member<T> | undefined {
  let least = members[0]
  for (const member of members) if (least === undefined || member.load < least.load) least = member
  return least
}

/** The default balancer. */
export function createP2c<T>(options: P2cOptions<T>): Balancer<T> {
  return new P2c(options)
}
