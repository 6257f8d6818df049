// Peak EWMA: of two endpoints drawn by chance, the one where a request is expected to be answered sooner.
import type { Random } from '../../watch/clock.ts'
import type { Chooser } from './chooser.ts'
import type { Member } from './member.ts'
import { MemberList } from './member-list.ts'
import type { PeakLatency } from './peak-latency.ts'

class Ewma<T> implements Chooser<T> {
  readonly #list: MemberList<T>
  readonly #latency: PeakLatency

  constructor(random: Random, latency: PeakLatency) {
    this.#list = new MemberList(random)
    this.#latency = latency
  }

  get size(): number {
    return this.#list.size
  }

  add(member: Member<T>): void {
    this.#list.add(member)
  }

  remove(member: Member<T>): void {
    this.#list.remove(member)
  }

  choose(): Member<T> | undefined {
    const list = this.#list
    const first = list.draw(list.size)
    if (list.size < 2 || first === undefined) return first
    const second = list.drawOther(first, list.size)
    return second !== undefined && this.#latency.isCheaper(second, first) ? second : first
  }

  began(): void {}

  ended(): void {}
}

/** `latency` is shared by all weights of one balancer. */
export function createEwma<T>(random: Random, latency: PeakLatency): Chooser<T> {
  return new Ewma(random, latency)
}
