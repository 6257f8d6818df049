// A line of entries that costs nothing while it is empty: the entries themselves are its links, so that one joins and leaves
// without a search or an allocation. Knows nothing of what the line is for.
import type { Entry } from './entry.ts'

/** First in, first out. An entry is in one list at most: that which its `list` says. */
export class EntryList {
  #first: Entry | undefined
  #last: Entry | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  get first(): Entry | undefined {
    return this.#first
  }

  /** The entry must be in no list. */
  push(entry: Entry): void {
    entry.list = this
    entry.before = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.after = entry
    this.#last = entry
    this.#size++
  }

  /** The entry must be in this list. */
  delete(entry: Entry): void {
    const { before, after } = entry
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    entry.before = undefined
    entry.after = undefined
    entry.list = undefined
    this.#size--
  }

  /** The first, which leaves. */
  shift(): Entry | undefined {
    const entry = this.#first
    if (entry !== undefined) this.delete(entry)
    return entry
  }
}
