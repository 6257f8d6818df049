// What one stream remembers of each resource it sends: the newest state and the one that went out last, both shared with
// all who watch the same cell. Never bytes, never a queue. There are very many of these: every field counts.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { type Content, hashFieldOf, hashOf, isFailure, type WireHash } from '../../proto/updates.ts'
import type { Cell, Observation, Observer } from '../../watch/cell.ts'
import { pending, type State } from '../../watch/state.ts'

/** Who is told that an entry has something to send. */
export interface EntryOwner {
  entryChanged(entry: Entry): void
}

export type Entry = NameEntry | ReplicaEntry

/** Whether a state makes a client drop what it holds: a failure that only a change of rules can end. */
export function isFinal(state: State<unknown>): boolean {
  return state.kind === 'failed' && !NamingError.from(state.error).retryable
}

abstract class WatchEntry<T> implements Observer<T> {
  /** The newest state. */
  state: State<T> = pending
  /** The state that went out last. */
  sent: State<T> | undefined
  /** The content that the client said it holds, until something is sent that settles it. */
  #held: WireHash
  #observation: Observation | undefined

  constructor(held: WireHash) {
    this.#held = held
  }

  /** Follows the cell until close. The owner is told of the present state before this returns. */
  open(cell: Cell<T>): void {
    this.#observation = cell.observe(this)
  }

  close(): void {
    this.#observation?.end()
  }

  /** Takes a newer state. */
  deliver(state: State<T>): void {
    this.state = state
    this.tellOwner()
  }

  get hasNews(): boolean {
    return this.sent !== this.state
  }

  /** What the client holds from another stream; whatever was sent on this one counts no more. */
  restart(held: WireHash): void {
    this.#held = held
    this.sent = undefined
    this.tellOwner()
  }

  /** Notes the newest state as sent and gives the fields to send: of its content, the hash alone when the client has it. */
  take(content: Content): Content {
    const { state, sent } = this
    this.sent = state
    const isValue = state.kind === 'ok' && !isFailure(content)
    const isSent = isValue && sent?.kind === 'ok' && sent.value === state.value
    const isHeld = isValue && this.#held !== '' && this.#held === hashOf(content)
    if (state.kind === 'ok' || isFinal(state)) this.#held = ''
    return isSent || isHeld ? hashFieldOf(content) : content
  }

  protected abstract tellOwner(): void
}

/** A subscribed name. */
export class NameEntry extends WatchEntry<BoundTree> {
  readonly #owner: EntryOwner
  readonly key: number
  /** The tree whose leaves this stream keeps sending. */
  tree: BoundTree | undefined

  constructor(owner: EntryOwner, key: number, held: WireHash) {
    super(held)
    this.#owner = owner
    this.key = key
  }

  protected override tellOwner(): void {
    this.#owner.entryChanged(this)
  }
}

/** A replica set: sent while it is a leaf of a tree of this stream, or subscribed by itself. */
export class ReplicaEntry extends WatchEntry<ReplicaSet> {
  readonly #owner: EntryOwner
  readonly id: Path
  isSubscribed = false
  /** How many leaves of this stream's trees it is. */
  leaves = 0

  constructor(owner: EntryOwner, id: Path, held: WireHash) {
    super(held)
    this.#owner = owner
    this.id = id
  }

  protected override tellOwner(): void {
    this.#owner.entryChanged(this)
  }
}
