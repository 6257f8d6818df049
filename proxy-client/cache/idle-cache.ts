// A cache with a cap and an idle time, for a look-up per request: a hit is one Map read and one bit. What was used twice
// stands apart from newcomers, so that a flood of names that come once pushes out its own. Knows nothing of what it holds.
import type { Cancel, Clock } from '../../watch/clock.ts'
import { EntryList, type Linked } from './entry-list.ts'

export interface IdleCacheOptions<V> {
  readonly clock: Clock
  /** Entries held at most, those in use apart. */
  readonly max: number
  /** How long an entry that nobody touches stays, in milliseconds; up to an eighth longer. */
  readonly idleMs: number
  /** Whether the entry must not be dropped now. */
  readonly isInUse: (value: V) => boolean
  /** Releases what the entry holds. */
  readonly dispose: (value: V) => void
}

/** Entries now, look-ups that found none, entries dropped for room and for idleness. */
export interface CacheCounts {
  readonly size: number
  readonly misses: number
  readonly evicts: number
  readonly expires: number
}

/** Of the cap: what regulars hold against newcomers. */
const regularShare = 0.8
/** Looks for idle entries per idle time. */
const sweepsPerIdleTime = 8

class Entry<V> implements Linked<Entry<V>> {
  readonly key: string
  readonly value: V
  before: Entry<V> | undefined = undefined
  after: Entry<V> | undefined = undefined
  /** Asked for since it was looked at last. */
  isHit = false
  isRegular = false
  /** It was not used later than this, but for `isHit`. */
  usedBefore: number

  constructor(key: string, value: V, now: number) {
    this.key = key
    this.value = value
    this.usedBefore = now
  }
}

/** Keeps what `make` made until it is idle, displaced or the cache is closed. */
export class IdleCache<V> {
  readonly #options: IdleCacheOptions<V>
  readonly #maxRegulars: number
  readonly #entries = new Map<string, Entry<V>>()
  /** Both with the least recently used first, as far as that was looked at. */
  readonly #newcomers = new EntryList<Entry<V>>()
  readonly #regulars = new EntryList<Entry<V>>()
  #sweep: Cancel | undefined
  /** Entries made. */
  added = 0
  /** Dropped for room. */
  evicted = 0
  /** Dropped for idleness. */
  expired = 0
  /** Not made because there was no room. */
  refused = 0

  constructor(options: IdleCacheOptions<V>) {
    this.#options = options
    this.#maxRegulars = Math.floor(options.max * regularShare)
  }

  get size(): number {
    return this.#entries.size
  }

  *values(): Iterable<V> {
    for (const { value } of this.#entries.values()) yield value
  }

  /** The entry, which counts as used now. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    entry.isHit = true
    return entry.value
  }

  /** The entry, for those who only look: it does not count as used. */
  peek(key: string): V | undefined {
    return this.#entries.get(key)?.value
  }

  /** What has become of the entries so far. */
  get counts(): CacheCounts {
    return { size: this.#entries.size, misses: this.added + this.refused, evicts: this.evicted, expires: this.expired }
  }

  /** Adds an entry, displacing another at the cap; undefined when none may go: newcomers that are in use fill what is theirs. */
  add(key: string, make: () => V): V | undefined {
    if (this.#entries.size < this.#options.max || this.#displaceOne()) return this.force(key, make)
    this.refused++
    return undefined
  }

  /** Adds an entry, above the cap if need be. */
  force(key: string, make: () => V): V {
    while (this.#entries.size >= this.#options.max && this.#displaceOne());
    const entry = new Entry(key, make(), this.#options.clock.monotonic())
    this.#entries.set(key, entry)
    this.#newcomers.append(entry)
    this.added++
    this.#arm()
    return entry.value
  }

  /** Drops every entry, in use or not. */
  close(): void {
    this.#sweep?.()
    this.#sweep = undefined
    for (const entry of [...this.#entries.values()]) this.#drop(entry)
  }

  #displaceOne(): boolean {
    const now = this.#options.clock.monotonic()
    return this.#displaceRegular(now) || this.#displaceFrom(this.#newcomers, now) || this.#displaceRegular(now)
  }

  #displaceRegular(now: number): boolean {
    return this.#regulars.size > this.#maxRegulars && this.#displaceFrom(this.#regulars, now)
  }

  /** From the least recently used on; one that was asked for in between has a second chance. */
  #displaceFrom(list: EntryList<Entry<V>>, now: number): boolean {
    for (let looks = 2 * list.size; looks > 0; looks--) {
      const entry = list.first
      if (entry === undefined) return false
      if (this.#isTouched(entry)) this.#refresh(entry, now)
      else {
        this.evicted++
        this.#drop(entry)
        return true
      }
    }
    return false
  }

  #isTouched(entry: Entry<V>): boolean {
    return entry.isHit || this.#options.isInUse(entry.value)
  }

  /** Moves it to the end of its list, and one that was asked for again to the regulars. */
  #refresh(entry: Entry<V>, now: number): void {
    this.#listOf(entry).remove(entry)
    entry.isRegular ||= entry.isHit
    entry.isHit = false
    entry.usedBefore = now
    this.#listOf(entry).append(entry)
  }

  #drop(entry: Entry<V>): void {
    this.#entries.delete(entry.key)
    this.#listOf(entry).remove(entry)
    this.#options.dispose(entry.value)
  }

  #listOf(entry: Entry<V>): EntryList<Entry<V>> {
    return entry.isRegular ? this.#regulars : this.#newcomers
  }

  /** One timer, while there are entries. */
  #arm(): void {
    if (this.#sweep !== undefined || this.#entries.size === 0) return
    const everyMs = Math.max(1, this.#options.idleMs / sweepsPerIdleTime)
    this.#sweep = this.#options.clock.after(everyMs, () => this.#expire())
  }

  #expire(): void {
    this.#sweep = undefined
    const now = this.#options.clock.monotonic()
    for (const entry of [...this.#entries.values()]) {
      if (this.#isTouched(entry)) this.#refresh(entry, now)
      else if (now - entry.usedBefore >= this.#options.idleMs) {
        this.expired++
        this.#drop(entry)
      }
    }
    // What was above the cap because it was in use may have become free.
    while (this.#entries.size > this.#options.max && this.#displaceOne());
    this.#arm()
  }
}
