// A doubly linked list of cache entries in order of use, so that moving one costs no search. Knows nothing of what they hold.

/** Stands in at most one list. */
export interface Linked<E> {
  before: E | undefined
  after: E | undefined
}

export class EntryList<E extends Linked<E>> {
  #first: E | undefined
  #last: E | undefined
  size = 0

  get first(): E | undefined {
    return this.#first
  }

  append(entry: E): void {
    entry.before = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.after = entry
    this.#last = entry
    this.size++
  }

  /** Only of an entry that stands in this list. */
  remove(entry: E): void {
    const { before, after } = entry
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    entry.before = undefined
    entry.after = undefined
    this.size--
  }
}
