// What one stream remembers of one resource it sends: the newest state and the one that went out last, both shared with all
// who watch the same cell. Never bytes, never a queue. There are very many of these: every field counts.
import type { Cell, Observation, Observer } from '../../watch/cell.ts'
import { pending, type State } from '../../watch/state.ts'
import type { Mailbox } from './mailbox.ts'

/** Where an entry stands in its mailbox. */
export const place = { nowhere: 0, ready: 1, resting: 2 } as const

export type Place = (typeof place)[keyof typeof place]

/** Which cap holds for the spacing of a resource's states. */
export type EntryKind = 'tree' | 'replicas'

export abstract class Entry<T = unknown> implements Observer<T> {
  /** The newest state. */
  state: State<T> = pending
  /** The state that went out last. */
  sent: State<T> | undefined = undefined
  /** When that was, in ms on the monotonic clock, whole; before any, long ago. */
  sentAt = -1_000_000
  /** Owned by the mailbox. */
  place: Place = place.nowhere
  readonly mailbox: Mailbox
  #observation: Observation | undefined

  constructor(mailbox: Mailbox) {
    this.mailbox = mailbox
  }

  abstract readonly kind: EntryKind

  /** Whether the newest state takes away what the sent one had: it goes out before others, and at once. */
  abstract readonly isRemoval: boolean

  /** Follows the cell until close. The mailbox has the present state before this returns. */
  open(cell: Cell<T>): void {
    this.#observation = cell.observe(this)
  }

  /** Ends that, and leaves the mailbox. */
  close(): void {
    this.#observation?.end()
    this.mailbox.delete(this)
  }

  /** Takes a newer state. */
  deliver(state: State<T>): void {
    this.state = state
    this.mailbox.put(this)
  }

  get hasNews(): boolean {
    return this.sent !== this.state
  }
}
