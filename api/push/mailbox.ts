// What one stream has still to send: each resource once, whatever the number of its changes. Removals come first, then the
// order in which news came. Knows no protocol and no transport.
import { type Entry, place } from './entry.ts'
import type { Pace } from './pace.ts'

export interface MailboxOptions {
  readonly pace: Pace
  /** Something can be sent, and nothing could before. */
  readonly onMail: () => void
  /** An entry that had unsent news has newer. */
  readonly onConflated: () => void
  /** When the first of the changes that are being delivered was made, on the monotonic clock. */
  readonly changedAt: () => number
}

export class Mailbox {
  readonly #options: MailboxOptions
  readonly #removals = new Set<Entry>()
  readonly #ready = new Set<Entry>()
  /** One that goes on where it was: one that began anew would first pass over all that was taken out before. */
  #readyInOrder = this.#ready.values()
  #resting = 0
  #oldestAt: number | undefined

  constructor(options: MailboxOptions) {
    this.#options = options
  }

  /** Resources that can be sent now. */
  get readyCount(): number {
    return this.#removals.size + this.#ready.size
  }

  /** Resources with news, those included that rest. */
  get size(): number {
    return this.readyCount + this.#resting
  }

  /** When the oldest change was made that was put here since the mailbox was last empty; undefined when it is. */
  get oldestAt(): number | undefined {
    return this.#oldestAt
  }

  /** The entry has news; at most its spacing later it can be sent. */
  put(entry: Entry): void {
    this.#oldestAt ??= this.#options.changedAt()
    const { pace } = this.#options
    if (entry.place === place.nowhere) {
      const dueAt = entry.isRemoval ? 0 : pace.dueAt(entry)
      if (dueAt === 0) this.#makeReady(entry)
      else {
        entry.place = place.resting
        this.#resting++
        pace.rest(entry, dueAt)
      }
      return
    }
    this.#options.onConflated()
    if (entry.isRemoval && (entry.place === place.resting || !this.#removals.has(entry))) {
      this.#take(entry)
      this.#makeReady(entry)
    }
  }

  /** For the pace: the entry has rested. One that rests no more is left alone. */
  wake(entry: Entry): void {
    if (entry.place !== place.resting) return
    this.#resting--
    this.#makeReady(entry)
  }

  /** The next entry to send, which leaves the mailbox; undefined when there is none. */
  next(): Entry | undefined {
    for (const entry of this.#removals) {
      this.#leave(entry)
      return entry
    }
    const entry = this.#firstReady()
    if (entry !== undefined) this.#leave(entry)
    return entry
  }

  /** The entry has nothing to send any more. */
  delete(entry: Entry): void {
    if (entry.place !== place.nowhere) this.#leave(entry)
  }

  /** Everything leaves. */
  clear(): void {
    for (const entry of this.#removals) entry.place = place.nowhere
    for (const entry of this.#ready) entry.place = place.nowhere
    this.#removals.clear()
    this.#ready.clear()
    this.#oldestAt = undefined
  }

  #makeReady(entry: Entry): void {
    entry.place = place.ready
    if (entry.isRemoval) this.#removals.add(entry)
    else this.#ready.add(entry)
    if (this.readyCount === 1) this.#options.onMail()
  }

  #firstReady(): Entry | undefined {
    const { value } = this.#readyInOrder.next()
    if (value !== undefined) return value
    this.#readyInOrder = this.#ready.values()
    return this.#readyInOrder.next().value
  }

  #leave(entry: Entry): void {
    this.#take(entry)
    entry.place = place.nowhere
    if (this.size === 0) this.#oldestAt = undefined
  }

  #take(entry: Entry): void {
    if (entry.place === place.resting) this.#resting--
    else if (!this.#removals.delete(entry)) this.#ready.delete(entry)
  }
}
