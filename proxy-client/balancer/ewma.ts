// Peak EWMA: of two endpoints drawn by chance, the one where a request is expected to be answered sooner.
import type { Clock, Random } from '../../watch/clock.ts'
import type { Chooser } from './chooser.ts'
import type { Member } from './member.ts'
import { MemberList } from './member-list.ts'
import type { PeakLatency } from './peak-latency.ts'

interface EwmaOptions {
  readonly random: Random
  readonly clock: Clock
  /** Shared by all weights of one balancer. */
  readonly latency: PeakLatency
}

class Ewma<T> implements Chooser<T> {
  readonly #clock: Clock
  readonly #list: MemberList<T>
  readonly #latency: PeakLatency

  constructor({ random, clock, latency }: EwmaOptions) {
    this.#clock = clock
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
    return second !== undefined && this.#latency.isCheaper(second, first, this.#clock.monotonic()) ? second : first
  }

  began(): void {}

  ended(): void {}
}

export function createEwma<T>(options: EwmaOptions): Chooser<T> {
  return new Ewma(options)
}
