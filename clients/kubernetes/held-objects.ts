// The objects of one collection as last known, and by what rule news changes them. Knows nothing of requests.
import type { Collection } from './cluster.ts'
import { isOlder, newer } from './resource-version.ts'
import { type RawObject, WatchBrokenError } from './watch-event.ts'

/** One object as listed: what is kept of it, and its version. */
export interface Listed<T> {
  readonly version: string
  readonly object: T
}

export interface Listing<T> {
  /** The resourceVersion at which the list was true. */
  readonly version: string
  readonly objects: ReadonlyMap<string, Listed<T>>
  /** When its first byte came, in ms of the clock's `monotonic`. */
  readonly receivedAt: number
}

/** What is kept of an object, undefined for one that is left out; a throw of `strip` is a malformed answer. */
export function stripAtDoor<T>(collection: Collection<T>, raw: RawObject): T | undefined {
  try {
    return collection.strip(raw.object)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new WatchBrokenError(`${raw.key} is malformed: ${why}`, { cause })
  }
}

export class HeldObjects<T> {
  readonly #collection: Collection<T>
  readonly #objects = new Map<string, T>()
  readonly #versions = new Map<string, string>()
  #version: string | undefined

  constructor(collection: Collection<T>) {
    this.#collection = collection
  }

  get objects(): ReadonlyMap<string, T> {
    return this.#objects
  }

  /** Up to where all is known; undefined before the first list. */
  get version(): string | undefined {
    return this.#version
  }

  versionOf(key: string): string | undefined {
    return this.#versions.get(key)
  }

  /** Everything up to `version` is known. */
  reached(version: string): void {
    this.#version = this.#version === undefined ? version : newer(this.#version, version)
  }

  /** Whether an object was put. Older ones than what is known of the key change nothing. Throws for one too many. */
  put(raw: RawObject): boolean {
    if (this.#versions.get(raw.key) === raw.version || this.#isOlderThanKnown(raw)) return false
    const object = stripAtDoor(this.#collection, raw)
    if (object === undefined) return this.#remove(raw.key)
    if (!this.#objects.has(raw.key)) checkRoom(this.#collection, this.#objects.size + 1)
    this.set(raw.key, { version: raw.version, object })
    return true
  }

  /** Whether an object was held and is not any more. */
  remove(raw: RawObject): boolean {
    return this.#isOlderThanKnown(raw) ? false : this.#remove(raw.key)
  }

  /** Makes what is held equal to the list; gives the keys that differ. */
  replace(listing: Listing<T>): Set<string> {
    const changed = new Set<string>()
    for (const key of this.#objects.keys()) if (!listing.objects.has(key)) changed.add(key)
    for (const key of changed) this.#remove(key)
    for (const [key, listed] of listing.objects) {
      if (this.#versions.get(key) === listed.version) continue
      this.set(key, listed)
      changed.add(key)
    }
    this.#version = listing.version
    return changed
  }

  /** Puts what a list has, or removes what it has not. */
  set(key: string, listed: Listed<T> | undefined): void {
    if (listed === undefined) {
      this.#remove(key)
      return
    }
    this.#objects.set(key, listed.object)
    this.#versions.set(key, listed.version)
  }

  /** An object that is not held is known to be gone up to the version that was reached: an older one must not come back. */
  #isOlderThanKnown({ key, version }: RawObject): boolean {
    const known = this.#versions.get(key) ?? this.#version
    return known !== undefined && isOlder(version, known)
  }

  #remove(key: string): boolean {
    this.#versions.delete(key)
    return this.#objects.delete(key)
  }
}

/** A collection is larger than its owner allows. */
class TooManyObjectsError extends Error {
  override readonly name = 'TooManyObjectsError'
}

/** Throws TooManyObjectsError when a collection is larger than its owner allows. */
export function checkRoom({ path, maxObjects }: Collection<unknown>, objects: number): void {
  if (objects > maxObjects) throw new TooManyObjectsError(`${path} has more than ${maxObjects} objects`)
}
