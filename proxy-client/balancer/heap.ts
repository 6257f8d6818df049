// Least loaded of all, by a heap; among equals the one that has waited longest, so that an idle set is used in turn.
import type { Chooser } from './chooser.ts'
import type { Member } from './member.ts'
import { MemberHeap } from './member-heap.ts'

class LeastLoaded<T> implements Chooser<T> {
  readonly #heap = new MemberHeap<T>()
  #turns = 0

  get size(): number {
    return this.#heap.size
  }

  add(member: Member<T>): void {
    member.rank = member.load
    member.turn = ++this.#turns
    this.#heap.add(member)
  }

  remove(member: Member<T>): void {
    this.#heap.remove(member)
  }

  choose(): Member<T> | undefined {
    return this.#heap.first
  }

  began(member: Member<T>): void {
    member.turn = ++this.#turns
    this.#rank(member)
  }

  ended(member: Member<T>): void {
    this.#rank(member)
  }

  #rank(member: Member<T>): void {
    member.rank = member.load
    this.#heap.reorder(member)
  }
}

export function createHeap<T>(): Chooser<T> {
  return new LeastLoaded()
}
