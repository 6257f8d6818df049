// The contract of what tells the kinds of balancers apart: how one of several endpoints of equal weight is chosen.
import type { Member } from './member.ts'

/** Holds open members only. Each method costs O(1), or O(log n) for a heap, and allocates nothing. */
export interface Chooser<T> {
  readonly size: number
  /** Takes a member in, with the load that it has. */
  add(member: Member<T>): void
  remove(member: Member<T>): void
  /** One of its members; undefined when it has none. */
  choose(): Member<T> | undefined
  /** A request goes to a member of it, whose load counts it already. */
  began(member: Member<T>): void
  /** A request to a member of it has ended, and its load counts it no more. */
  ended(member: Member<T>): void
}

export type CreateChooser<T> = () => Chooser<T>
