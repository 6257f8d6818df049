// Members in a binary heap by rank, then by turn; each knows its place. The first is found at once, the rest costs O(log n).
import type { Member } from './member.ts'

export class MemberHeap<T> {
  readonly #members: Member<T>[] = []

  get size(): number {
    return this.#members.length
  }

  get first(): Member<T> | undefined {
    return this.#members[0]
  }

  /** In no order that means anything. */
  at(slot: number): Member<T> | undefined {
    return this.#members[slot]
  }

  add(member: Member<T>): void {
    member.slot = this.#members.length
    this.#members.push(member)
    this.#rise(member)
  }

  remove(member: Member<T>): void {
    const last = this.#members.pop()
    if (last !== undefined && last !== member) {
      this.#put(last, member.slot)
      this.reorder(last)
    }
    member.slot = -1
  }

  /** Finds the place of a member whose rank or turn has changed. */
  reorder(member: Member<T>): void {
    this.#rise(member)
    this.#sink(member)
  }

  #rise(member: Member<T>): void {
    let slot = member.slot
    while (slot > 0) {
      const above = this.#members[(slot - 1) >> 1]
      if (above === undefined || !isBefore(member, above)) break
      const freed = above.slot
      this.#put(above, slot)
      slot = freed
    }
    this.#put(member, slot)
  }

  #sink(member: Member<T>): void {
    let slot = member.slot
    for (;;) {
      const below = this.#firstBelow(slot)
      if (below === undefined || !isBefore(below, member)) break
      const freed = below.slot
      this.#put(below, slot)
      slot = freed
    }
    this.#put(member, slot)
  }

  #firstBelow(slot: number): Member<T> | undefined {
    const left = this.#members[2 * slot + 1]
    const right = this.#members[2 * slot + 2]
    return left !== undefined && right !== undefined && isBefore(right, left) ? right : left
  }

  #put(member: Member<T>, slot: number): void {
    this.#members[slot] = member
    member.slot = slot
  }
}

function isBefore<T>(a: Member<T>, b: Member<T>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.turn < b.turn)
}
