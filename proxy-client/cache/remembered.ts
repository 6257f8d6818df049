// What was worked out of a text lately, so that it need not be again: two maps, of which the older is dropped when the
// younger is full. Knows nothing of what it holds.

const defaultMax = 1_000
/** Of all keys in one map: a thousand of what clients send are small, and a few that are as long as a head may be are enough. */
const maxKeyChars = 512 * 1024

/**
 * Keeps at least the last `max` values that were set or found, at most twice as many; fewer where their keys are long. A hit
 * costs one look-up.
 */
export class Remembered<V> {
  readonly #max: number
  #young = new Map<string, V>()
  #youngChars = 0
  #old = new Map<string, V>()

  constructor(max = defaultMax) {
    this.#max = max
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#revive(key)
  }

  /** Gives the value back. Keys should be `ownCopy`s, for a part of a message's head keeps the whole head in memory. */
  set(key: string, value: V): V {
    if (this.#young.size >= this.#max || this.#youngChars + key.length > maxKeyChars) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngChars = 0
    }
    this.#young.set(key, value)
    this.#youngChars += key.length
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
