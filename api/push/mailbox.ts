// What one stream has still to send: each resource once, whatever the number of its changes. Removals come first, then the
// order in which news came. Knows no protocol and no transport.
import type { Entry } from './entry.ts'
import { EntryList } from './entry-list.ts'
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
  readonly #removals = new EntryList()
  readonly #ready = new EntryList()
  readonly #held = new EntryList()
  /** Entries with news, wherever they wait. */
  #size = 0
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
    return this.#size
  }

  /** When the oldest change was made that was put here since the mailbox was last empty; undefined when it is. */
  get oldestAt(): number | undefined {
    return this.#oldestAt
  }

  /** The entry has news; at most its spacing later it can be sent. */
  put(entry: Entry): void {
    const { pace, onConflated, changedAt } = this.#options
    this.#oldestAt ??= changedAt()
    const { list } = entry
    if (list !== undefined) {
      onConflated()
      // What held its news back may be no matter to the newer.
      if (list === this.#removals || (list !== this.#held && !entry.isRemoval)) return
      this.#take(entry, list)
    } else this.#size++
    if (entry.isRemoval) this.#makeReady(entry, this.#removals)
    else if (!pace.rests(entry, changedAt())) this.#makeReady(entry, this.#ready)
  }

  /** For the pace: the entry has rested. */
  wake(entry: Entry): void {
    this.#makeReady(entry, this.#ready)
  }

  /** The next entry to send, which leaves the mailbox; undefined when there is none. */
  next(): Entry | undefined {
    const entry = this.#removals.shift() ?? this.#ready.shift()
    if (entry !== undefined) this.#left()
    return entry
  }

  /** What has just been taken out cannot be sent yet: it keeps its news until there is newer, or freeHeld. */
  hold(entry: Entry): void {
    this.#oldestAt ??= this.#options.changedAt()
    this.#held.push(entry)
    this.#size++
  }

  /** Everything that is held can be sent. */
  freeHeld(): void {
    for (let entry = this.#held.shift(); entry !== undefined; entry = this.#held.shift())
      this.#makeReady(entry, entry.isRemoval ? this.#removals : this.#ready)
  }

  /** The entry has nothing to send any more. */
  delete(entry: Entry): void {
    const { list } = entry
    if (list === undefined) return
    this.#take(entry, list)
    this.#left()
  }

  /** Everything leaves that can be sent; what rests stays until it is deleted. */
  clear(): void {
    while (this.next() !== undefined);
  }

  #makeReady(entry: Entry, list: EntryList): void {
    list.push(entry)
    if (this.readyCount === 1) this.#options.onMail()
  }

  #take(entry: Entry, list: EntryList): void {
    if (list === this.#removals || list === this.#ready || list === this.#held) list.delete(entry)
    else this.#options.pace.forget(entry, list)
  }

  #left(): void {
    if (--this.#size === 0) this.#oldestAt = undefined
  }
}
