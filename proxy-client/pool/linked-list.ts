// A list whose items hold their own links, so that joining and leaving cost a few assignments wherever they stand.

/** An item; it stands in at most one list. */
export interface Linked<T extends Linked<T>> {
  list: LinkedList<T> | undefined
  before: T | undefined
  after: T | undefined
}

export class LinkedList<T extends Linked<T>> {
  #first: T | undefined
  #last: T | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): T | undefined {
    return this.#first
  }

  get last(): T | undefined {
    return this.#last
  }

  /** The item must not stand in a list. */
  append(item: T): void {
    item.list = this
    item.before = this.#last
    if (this.#last === undefined) this.#first = item
    else this.#last.after = item
    this.#last = item
    this.#size++
  }

  /** Harmless when the item does not stand in this list. */
  remove(item: T): void {
    if (item.list !== this) return
    const { before, after } = item
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    item.list = undefined
    item.before = undefined
    item.after = undefined
    this.#size--
  }
}
