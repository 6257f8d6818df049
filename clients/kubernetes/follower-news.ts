// What a follower is told of its collection: all changes of a turn at once, and never anything after the end.
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { CollectionFollower } from './cluster.ts'
import type { HeldObjects } from './held-objects.ts'
import { sayFailure } from './say-failure.ts'

/** Ends with `close`. */
export class FollowerNews<T> {
  readonly #follower: CollectionFollower<T>
  readonly #held: HeldObjects<T>
  readonly #clock: Clock
  readonly #dirty = new Set<string>()
  #dirtySince = 0
  #cancelTell: Cancel | undefined
  #mustTellAll = true
  #isFailing = false
  #isOpen = true

  constructor(follower: CollectionFollower<T>, held: HeldObjects<T>, clock: Clock) {
    this.#follower = follower
    this.#held = held
    this.#clock = clock
  }

  /** Tells of the key with all others of this turn, at the next; `onThrow` is called when the follower throws. */
  changed(key: string, receivedAt: number, onThrow: (error: unknown) => void): void {
    this.#add(key, receivedAt)
    this.#cancelTell ??= this.#clock.defer(() => {
      try {
        this.#tell()
      } catch (error) {
        onThrow(error)
      }
    })
  }

  /** Tells what a list has changed, at once: the first time all, and after a follower that threw. Throws as it does. */
  listed(changed: ReadonlySet<string>, receivedAt: number): void {
    for (const key of changed) this.#add(key, receivedAt)
    if (this.#mustTellAll) for (const key of this.#held.objects.keys()) this.#add(key, receivedAt)
    if (this.#mustTellAll || this.#dirty.size > 0) this.#tell()
    else this.contact()
  }

  contact(): void {
    if (!this.#isOpen) return
    this.#isFailing = false
    this.#follower.contact(this.#held.version ?? '')
  }

  failed(error: Error, retryAt: number): void {
    if (!this.#isOpen) return
    this.#isFailing = true
    this.#follower.failed(sayFailure(error), retryAt)
  }

  /** A sign of life, which is news only after a failure. */
  recovered(): void {
    if (this.#isFailing) this.contact()
  }

  close(): void {
    this.#isOpen = false
    this.#cancelTell?.()
  }

  #add(key: string, receivedAt: number): void {
    if (this.#dirty.size === 0) this.#dirtySince = receivedAt
    this.#dirty.add(key)
  }

  #tell(): void {
    this.#cancelTell?.()
    this.#cancelTell = undefined
    if (!this.#isOpen) return
    const changed = new Set(this.#dirty)
    this.#dirty.clear()
    // Stays so when the follower throws.
    this.#mustTellAll = true
    this.#follower.changed(this.#held.objects, changed, {
      version: this.#held.version ?? '',
      receivedAt: this.#dirtySince,
    })
    this.#mustTellAll = this.#isFailing = false
  }
}
