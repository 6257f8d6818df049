// A doubly linked chain through its own members: join and leave in constant time, in order, with no container to pay for.

/** A member of one chain at a time. The head's `previous` is the tail; the tail's `next` is absent. */
export interface Chained<M> {
  previous: M | undefined
  next: M | undefined
}

/** The chain's head after `member` joined at its end. */
export function append<M extends Chained<M>>(head: M | undefined, member: M): M {
  if (head === undefined) {
    member.previous = member
    return member
  }
  const tail = head.previous ?? head
  tail.next = member
  member.previous = tail
  head.previous = member
  return head
}

/** The chain's head after `member`, which must be in it, left. */
export function remove<M extends Chained<M>>(head: M | undefined, member: M): M | undefined {
  const { previous, next } = member
  member.previous = member.next = undefined
  if (head === member) {
    if (next !== undefined) next.previous = previous
    return next
  }
  if (previous !== undefined) previous.next = next
  if (next !== undefined) next.previous = previous
  else if (head !== undefined) head.previous = previous
  return head
}
