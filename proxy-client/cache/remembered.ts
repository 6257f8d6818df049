// What was worked out of a text lately, so that it need not be again: two maps, of which the older is dropped when the
// younger is full. Knows nothing of what it holds.

const defaultMax = 1_000

/** Keeps at least the last `max` values that were set or found, at most twice as many. A hit costs one look-up. */
export class Remembered<V> {
  readonly #max: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  constructor(max = defaultMax) {
    this.#max = max
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#revive(key)
  }

  /** Gives the value back. Keys should be `ownCopy`s, for a part of a message's head keeps the whole head in memory. */
  set(key: string, value: V): V {
    if (this.#young.size >= this.#max) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
    return value
  }

  #revive(key: string): V | undefined {
    const value = this.#old.get(key)
    return value === undefined ? undefined : this.set(ownCopy(key), value)
  }
}

/** The same bytes as a text of their own. */
export function ownCopy(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('latin1')
}
