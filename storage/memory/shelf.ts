// One namespace in memory: its versions in the order of their numbers, between which there may be gaps, and the keys that
// made them. Knows no clock and no rule of writing.
import type { HistoryQuery, Idempotency, Version } from '../store.ts'
import { idempotencyKeptMs, type KeyRecord } from '../write-rules.ts'

export class Shelf {
  #versions: Version[]
  readonly #keys = new Map<string, KeyRecord>()

  /** `versions` in the order of their numbers, the head last; the shelf keeps the array. */
  constructor(versions: Version[] = []) {
    this.#versions = versions
  }

  get head(): Version | undefined {
    return this.#versions.at(-1)
  }

  version(number: number): Version | undefined {
    const found = this.#versions[this.#countBelow(number)]
    return found?.version === number ? found : undefined
  }

  /** Newest first. */
  page({ before, limit }: HistoryQuery): readonly Version[] {
    const end = before === undefined ? this.#versions.length : this.#countBelow(before)
    return this.#versions.slice(Math.max(0, end - limit), end).reverse()
  }

  key(key: string): KeyRecord | undefined {
    return this.#keys.get(key)
  }

  /** The version becomes the head. */
  add(version: Version): void {
    this.#versions.push(version)
  }

  /** Also forgets the keys that have run out, which stand first. `now` is ms since 1970. */
  rememberKey({ key, fingerprint }: Idempotency, version: number, now: number): void {
    for (const [old, known] of this.#keys) {
      if (now - known.time < idempotencyKeptMs) break
      this.#keys.delete(old)
    }
    this.#keys.delete(key)
    this.#keys.set(key, { fingerprint, version, time: now })
  }

  /** Drops these; never the head. */
  drop(numbers: ReadonlySet<number>): void {
    const head = this.head
    this.#versions = this.#versions.filter(version => version === head || !numbers.has(version.version))
  }

  /** How many versions have a smaller number; they come first. */
  #countBelow(number: number): number {
    let low = 0
    let high = this.#versions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#versions[middle]?.version ?? 0) < number) low = middle + 1
      else high = middle
    }
    return low
  }
}
