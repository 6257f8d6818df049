// Power of two choices: of two endpoints drawn by chance, the one with fewer requests in progress.
import type { Random } from '../../watch/clock.ts'
import type { Chooser } from './chooser.ts'
import type { Member } from './member.ts'
import { MemberList } from './member-list.ts'

/** The less loaded of two that are drawn from the first `count`. */
export function chooseLessLoaded<T>(list: MemberList<T>, count: number): Member<T> | undefined {
  const first = list.draw(count)
  if (count < 2 || first === undefined) return first
  const second = list.drawOther(first, count)
  return second !== undefined && second.load < first.load ? second : first
}

class P2c<T> implements Chooser<T> {
  readonly #list: MemberList<T>

  constructor(random: Random) {
    this.#list = new MemberList(random)
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
    return chooseLessLoaded(this.#list, this.#list.size)
  }

  began(): void {}

  ended(): void {}
}

export function createP2c<T>(random: Random): Chooser<T> {
  return new P2c(random)
}
