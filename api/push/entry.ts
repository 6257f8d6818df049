// What one stream remembers of one resource it sends: the newest state and the one that went out last, both shared with all
// who watch the same cell. Never bytes, never a queue. There are very many of these: every field counts.
import type { Cell, Observation, Observer } from '../../watch/cell.ts'
import { awaited, type State } from '../../watch/state.ts'
import type { EntryList } from './entry-list.ts'
import type { Mailbox } from './mailbox.ts'
import { hasteAfter } from './pace.ts'

/** Which cap holds for the spacing of a resource's states. */
export type EntryKind = 'tree' | 'replicas'

export abstract class Entry<T = unknown> implements Observer<T> {
  /** The newest state; `awaited` before any. */
  state: State<T> = awaited
  /** The state that went out last. */
  sent: State<T> | undefined = undefined
  /** When that was, in ms on the monotonic clock, whole; before any, long ago. */
  sentAt = -1_000_000
  /** How much of late its states went out in haste; for the pace. */
  haste = 0
  /** Where it waits to be sent; for the mailbox and the pace, as the two below. */
  list: EntryList | undefined = undefined
  before: Entry | undefined = undefined
  after: Entry | undefined = undefined
  readonly mailbox: Mailbox
  #observation: Observation | undefined

  constructor(mailbox: Mailbox) {
    this.mailbox = mailbox
  }

  abstract readonly kind: EntryKind

  /** Whether the newest state takes away what the sent one had: it goes out before others, and at once. */
  abstract readonly isRemoval: boolean

  /** In a thread that mirrors its cells: nothing is sent before something is known, be it that the name is pending. */
  get isPatient(): boolean {
    return true
  }

  /** Of the cell that it follows, for people. */
  get cellName(): string | undefined {
    return this.#observation?.name
  }

  /** Follows the cell until close. The mailbox has the present state before this returns, if there is one. */
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

  /** The newest state goes out at this instant of the monotonic clock. */
  noteSent(now: number): void {
    if (this.kind === 'tree') this.haste = hasteAfter(this.haste, now - this.sentAt)
    this.sentAt = Math.trunc(now)
    this.sent = this.state
  }

  get hasNews(): boolean {
    return this.sent !== this.state
  }
}
