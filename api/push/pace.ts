// How far apart two states of one resource go out on one stream: not at all while there is little to do, further the more
// there is. The first change of a resource that was quiet always goes at once. Knows no stream.
import type { Clock } from '../../watch/clock.ts'
import type { Entry, EntryKind } from './entry.ts'

/** The spacing under full load, in ms. */
export const spacingCapMs: Readonly<Record<EntryKind, number>> = { tree: 250, replicas: 100 }

export interface PaceOptions {
  readonly clock: Clock
  /** How busy pushing keeps this thread, 0 to 1, of late. */
  readonly load: () => number
}

/** Below this share of the thread's time nothing is spaced; at the upper one the spacing is the cap. */
const idleLoad = 0.25
const fullLoad = 0.75
/** Entries rest in steps of this many ms. */
const stepMs = 10

export class Pace {
  readonly #options: PaceOptions
  /** Who wakes at which step. */
  readonly #steps = new Map<number, Entry[]>()

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** When the news of the entry may go, on the monotonic clock; 0 for at once. */
  dueAt(entry: Entry): number {
    const load = this.#options.load()
    if (load <= idleLoad) return 0
    const share = Math.min(1, (load - idleLoad) / (fullLoad - idleLoad))
    const dueAt = entry.sentAt + spacingCapMs[entry.kind] * share
    return dueAt <= this.#options.clock.monotonic() ? 0 : dueAt
  }

  /** Wakes the entry in its mailbox then. */
  rest(entry: Entry, dueAt: number): void {
    const step = Math.ceil(dueAt / stepMs)
    const known = this.#steps.get(step)
    if (known !== undefined) {
      known.push(entry)
      return
    }
    const { clock } = this.#options
    this.#steps.set(step, [entry])
    clock.after(Math.max(0, step * stepMs - clock.monotonic()), () => this.#wake(step))
  }

  #wake(step: number): void {
    const entries = this.#steps.get(step) ?? []
    this.#steps.delete(step)
    for (const entry of entries) entry.mailbox.wake(entry)
  }
}
