// The endpoints of a balancer that are left alone after failures, by when the next request may see whether they live.
import type { Random } from '../../watch/clock.ts'
import type { Member } from './member.ts'
import { MemberHeap } from './member-heap.ts'

const never = Number.POSITIVE_INFINITY

export class DeadMembers<T> {
  readonly #random: Random
  readonly #heap = new MemberHeap<T>()

  constructor(random: Random) {
    this.#random = random
  }

  /** When the first of them is due, by `Clock.monotonic`; infinite when none is. */
  get nextDueAt(): number {
    return this.#heap.first?.rank ?? never
  }

  add(member: Member<T>, dueAt: number): void {
    member.state = 'dead'
    member.rank = dueAt
    member.turn = 0
    this.#heap.add(member)
  }

  remove(member: Member<T>): void {
    this.#heap.remove(member)
  }

  /** The first that is due is being probed from here on, until `postpone` or `remove`. */
  probeFirst(): Member<T> | undefined {
    const { first } = this.#heap
    if (first === undefined) return undefined
    first.state = 'probing'
    first.rank = never
    this.#heap.reorder(first)
    return first
  }

  postpone(member: Member<T>, dueAt: number): void {
    member.state = 'dead'
    member.rank = dueAt
    this.#heap.reorder(member)
  }

  get size(): number {
    return this.#heap.size
  }

  /** `count` more of them may be probed from `now` on. */
  hasten(now: number, count: number): void {
    for (let i = 0; i < count; i++) {
      const next = this.#firstAfter(now)
      if (next === undefined) return
      this.postpone(next, now)
    }
  }

  /** The less loaded of two drawn by chance, for the request that has nowhere else to go. */
  choose(): Member<T> | undefined {
    const { size } = this.#heap
    const first = this.#heap.at(Math.floor(this.#random() * size))
    const second = this.#heap.at(Math.floor(this.#random() * size))
    return first !== undefined && second !== undefined && second.load < first.load ? second : first
  }

  #firstAfter(now: number): Member<T> | undefined {
    let first: Member<T> | undefined
    for (let slot = 0; slot < this.#heap.size; slot++) {
      const member = this.#heap.at(slot)
      if (member?.state === 'dead' && member.rank > now && (first === undefined || member.rank < first.rank))
        first = member
    }
    return first
  }
}
