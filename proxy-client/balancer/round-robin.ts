// Each endpoint in its turn, whatever its load. The order is by chance, so that many proxies do not march in step.
import type { Random } from '../../watch/clock.ts'
import type { Chooser } from './chooser.ts'
import type { Member } from './member.ts'
import { MemberList } from './member-list.ts'

class RoundRobin<T> implements Chooser<T> {
  readonly #list: MemberList<T>
  #next = 0

  constructor(random: Random) {
    this.#list = new MemberList(random)
  }

  get size(): number {
    return this.#list.size
  }

  add(member: Member<T>): void {
    this.#list.addSomewhere(member)
  }

  remove(member: Member<T>): void {
    this.#list.remove(member)
  }

  choose(): Member<T> | undefined {
    if (this.#next >= this.#list.size) this.#next = 0
    return this.#list.at(this.#next++)
  }

  began(): void {}

  ended(): void {}
}

export function createRoundRobin<T>(random: Random): Chooser<T> {
  return new RoundRobin(random)
}
