// How far apart two states of one resource go out on one stream: not at all while there is little to do, further the more
// there is. The first change of a resource that was quiet always goes at once. Knows no stream.
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Entry, EntryKind } from './entry.ts'
import { EntryList } from './entry-list.ts'

/** The spacing under full load, in ms; that of a tree in haste under any. */
export const spacingCapMs: Readonly<Record<EntryKind, number>> = { tree: 250, replicas: 100 }

export interface PaceOptions {
  readonly clock: Clock
  /** How busy pushing keeps this thread, 0 to 1, of late. */
  readonly load: () => number
}

/** Up to this load nothing is spaced; from the upper one on the spacing is the cap. */
const idleLoad = 0.4
const fullLoad = 0.9
/** Entries rest in steps of this many ms. */
const stepMs = 10
/** A tree that goes out more often than once in this time gains haste, and over the limit it is spaced. */
const hasteMs = 100
const hasteLimit = 20

/** The haste of a tree that had so much and goes out so many ms after the time before: one more, less what time has healed. */
export function hasteAfter(before: number, elapsedMs: number): number {
  return Math.min(hasteLimit, Math.max(0, before - Math.floor(elapsedMs / hasteMs))) + 1
}

interface Step {
  readonly entries: EntryList
  readonly cancel: Cancel
}

export class Pace {
  readonly #options: PaceOptions
  /** Who wakes when, by the number of the step. */
  readonly #steps = new Map<number, Step>()
  #resting = 0

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** Entries that rest. */
  get resting(): number {
    return this.#resting
  }

  /**
   * Lets the entry rest when its last state is too fresh, and wakes it in its mailbox then; false when it may go at once.
   * `changedAt`: an instant that is past, and of late; where it suffices the clock is not asked.
   */
  rests(entry: Entry, changedAt: number): boolean {
    const cap = spacingCapMs[entry.kind]
    if (changedAt - entry.sentAt >= cap) return false
    const now = this.#options.clock.monotonic()
    const restMs = entry.sentAt + this.#spacingMs(entry, cap) - now
    if (restMs <= 0) return false
    this.#stepAt(Math.ceil((now + restMs) / stepMs), now).push(entry)
    this.#resting++
    return true
  }

  /** An entry that rests in this list wakes no more. */
  forget(entry: Entry, list: EntryList): void {
    list.delete(entry)
    if (--this.#resting > 0) return
    for (const { cancel } of this.#steps.values()) cancel()
    this.#steps.clear()
  }

  #spacingMs(entry: Entry, cap: number): number {
    if (entry.haste > hasteLimit) return cap
    const share = (this.#options.load() - idleLoad) / (fullLoad - idleLoad)
    return share <= 0 ? 0 : cap * Math.min(1, share)
  }

  #stepAt(number: number, now: number): EntryList {
    const known = this.#steps.get(number)
    if (known !== undefined) return known.entries
    const entries = new EntryList()
    const cancel = this.#options.clock.after(number * stepMs - now, () => this.#wake(number, entries))
    this.#steps.set(number, { entries, cancel })
    return entries
  }

  #wake(number: number, entries: EntryList): void {
    this.#steps.delete(number)
    this.#resting -= entries.size
    for (let entry = entries.shift(); entry !== undefined; entry = entries.shift()) entry.mailbox.wake(entry)
  }
}
