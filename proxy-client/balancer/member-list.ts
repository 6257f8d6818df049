// Members in an array, each of which knows its place, so that joining and leaving cost the same at any size.
import type { Random } from '../../watch/clock.ts'
import type { Member } from './member.ts'

export class MemberList<T> {
  readonly #random: Random
  readonly #members: Member<T>[] = []

  constructor(random: Random) {
    this.#random = random
  }

  get size(): number {
    return this.#members.length
  }

  at(slot: number): Member<T> | undefined {
    return this.#members[slot]
  }

  /** At the end. */
  add(member: Member<T>): void {
    member.slot = this.#members.length
    this.#members.push(member)
  }

  /** Anywhere, by chance: each order of the members is as likely as any other, and differs from process to process. */
  addSomewhere(member: Member<T>): void {
    const slot = Math.floor(this.#random() * (this.#members.length + 1))
    const displaced = this.#members[slot]
    if (displaced !== undefined) {
      this.#members[slot] = member
      member.slot = slot
    }
    this.add(displaced ?? member)
  }

  /** The last one takes its place. */
  remove(member: Member<T>): void {
    const last = this.#members.pop()
    if (last !== undefined && last !== member) {
      this.#members[member.slot] = last
      last.slot = member.slot
    }
    member.slot = -1
  }

  /** One of the first `count` by chance. */
  draw(count: number): Member<T> | undefined {
    return this.#members[count === 1 ? 0 : Math.floor(this.#random() * count)]
  }

  /** Another than `first` of the first `count`, at least 2. */
  drawOther(first: Member<T>, count: number): Member<T> | undefined {
    const slot = Math.floor(this.#random() * (count - 1))
    return this.#members[slot < first.slot ? slot : slot + 1]
  }
}
