// A cache with a cap and an idle time: the least recently used entry goes first, one in use never. Knows nothing of what it holds.
import type { Cancel, Clock } from '../../watch/clock.ts'

export interface IdleCacheOptions<V> {
  readonly clock: Clock
  /** Entries held at most, those in use apart. */
  readonly max: number
  /** How long an entry that nobody touches stays, in milliseconds. */
  readonly idleMs: number
  /** Whether the entry must not be dropped now. */
  readonly isInUse: (value: V) => boolean
  /** Releases what the entry holds. */
  readonly dispose: (value: V) => void
}

interface Entry<V> {
  readonly value: V
  usedAt: number
}

/** Keeps what `make` made until it is idle, displaced or the cache is closed. */
export class IdleCache<V> {
  readonly #options: IdleCacheOptions<V>
  /** In order of last use, the oldest first. */
  readonly #entries = new Map<string, Entry<V>>()
  #sweep: Cancel | undefined
  evicted = 0
  expired = 0

  constructor(options: IdleCacheOptions<V>) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  *values(): Iterable<V> {
    for (const { value } of this.#entries.values()) yield value
  }

  /** The entry, now the most recently used. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    this.#touch(key, entry)
    return entry.value
  }

  /** Adds an entry, displacing an old one at the cap; undefined when every entry is in use. */
  add(key: string, make: () => V): V | undefined {
    if (this.#entries.size >= this.#options.max && !this.#displaceOne()) return undefined
    return this.force(key, make)
  }

  /** Adds an entry, above the cap if need be. */
  force(key: string, make: () => V): V {
    while (this.#entries.size >= this.#options.max && this.#displaceOne());
    const value = make()
    this.#entries.set(key, { value, usedAt: this.#options.clock.monotonic() })
    this.#arm()
    return value
  }

  /** Drops every entry, in use or not. */
  close(): void {
    this.#sweep?.()
    this.#sweep = undefined
    for (const [key, entry] of [...this.#entries]) this.#drop(key, entry)
  }

  #touch(key: string, entry: Entry<V>): void {
    entry.usedAt = this.#options.clock.monotonic()
    this.#entries.delete(key)
    this.#entries.set(key, entry)
  }

  #drop(key: string, entry: Entry<V>): void {
    this.#entries.delete(key)
    this.#options.dispose(entry.value)
  }

  #displaceOne(): boolean {
    for (const [key, entry] of this.#entries) {
      if (this.#options.isInUse(entry.value)) continue
      this.evicted++
      this.#drop(key, entry)
      return true
    }
    return false
  }

  /** One timer, due when the oldest entry may be idle for long enough. */
  #arm(): void {
    const oldest = this.#entries.values().next().value
    if (oldest === undefined || this.#sweep !== undefined) return
    const dueInMs = oldest.usedAt + this.#options.idleMs - this.#options.clock.monotonic()
    this.#sweep = this.#options.clock.after(Math.max(1, dueInMs), () => this.#expire())
  }

  #expire(): void {
    this.#sweep = undefined
    const before = this.#options.clock.monotonic() - this.#options.idleMs
    for (const [key, entry] of [...this.#entries]) {
      if (entry.usedAt > before) break
      if (this.#options.isInUse(entry.value)) this.#touch(key, entry)
      else {
        this.expired++
        this.#drop(key, entry)
      }
    }
    this.#arm()
  }
}
