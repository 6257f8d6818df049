// The endpoints of one balancer with their load, kept over updates. How one is picked is not known here.
import type { Endpoint } from '../../naming/replica-set.ts'
import { showEndpoint } from '../endpoint-address.ts'
import type { BalancerOptions, MemberReport, Outcome, Pick } from './balancer.ts'

export interface Member<T> {
  readonly target: T
  endpoint: Endpoint
  /** Requests in progress. */
  load: number
}

/** A member's loan to one request. */
export class Loan<T> implements Pick<T> {
  readonly #member: Member<T>
  #isOut = true

  constructor(member: Member<T>) {
    this.#member = member
    member.load++
  }

  get target(): T {
    return this.#member.target
  }

  get endpoint(): Endpoint {
    return this.#member.endpoint
  }

  release(_outcome: Outcome): void {
    if (!this.#isOut) return
    this.#isOut = false
    this.#member.load--
  }
}

export class Members<T> {
  readonly #options: Omit<BalancerOptions<T>, 'random'>
  #byAddress = new Map<string, Member<T>>()

  constructor(options: Omit<BalancerOptions<T>, 'random'>) {
    this.#options = options
  }

  /** Takes the new set; an address that stands twice counts once. Gives the members in the set's order. */
  update(endpoints: readonly Endpoint[]): readonly Member<T>[] {
    const before = this.#byAddress
    this.#byAddress = new Map()
    for (const endpoint of endpoints) {
      const key = showEndpoint(endpoint)
      if (this.#byAddress.has(key)) continue
      this.#byAddress.set(key, this.#keepOrOpen(before.get(key), endpoint))
      before.delete(key)
    }
    for (const { target } of before.values()) this.#options.close(target)
    return [...this.#byAddress.values()]
  }

  report(): readonly MemberReport[] {
    return [...this.#byAddress].map(([address, { endpoint, load }]) => ({ address, weight: endpoint.weight, load }))
  }

  #keepOrOpen(member: Member<T> | undefined, endpoint: Endpoint): Member<T> {
    if (member === undefined) return { target: this.#options.open(endpoint), endpoint, load: 0 }
    member.endpoint = endpoint
    return member
  }
}
