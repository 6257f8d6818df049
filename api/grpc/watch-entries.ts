// What one stream remembers of each resource it sends: which state went out last. Never bytes, never a queue.
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { type Content, hashFieldOf, hashOf, type WireHash } from '../../proto/updates.ts'
import type { State } from '../../watch/state.ts'
import type { Frame, FrameSubscriber } from '../frames.ts'

/** Who is told that an entry has something to send. */
export interface EntryOwner {
  entryChanged(entry: Entry): void
}

export type Entry = NameEntry | ReplicaEntry

abstract class WatchEntry<T> implements FrameSubscriber {
  #frame: Frame<T> | undefined
  /** The state that went out last. */
  sent: State<T> | undefined
  /** The content that the client said it holds, until something is sent that settles it. */
  #held: WireHash

  constructor(held: WireHash) {
    this.#held = held
  }

  abstract frameChanged(): void

  /** Known from right after the entry was made until it is given up. */
  get frame(): Frame<T> {
    if (this.#frame === undefined) throw new Error('an entry was used before it had its frame')
    return this.#frame
  }

  set frame(frame: Frame<T>) {
    this.#frame = frame
  }

  get hasNews(): boolean {
    return this.sent !== this.frame.state
  }

  /** What the client holds from before; whatever was sent on this stream counts no more. */
  restart(held: WireHash): void {
    this.#held = held
    this.sent = undefined
  }

  /** Notes the newest state as sent and gives the fields to send: the hash alone when the client has the content. */
  takeContent(): Content {
    const { state } = this.frame
    const content = this.frame.content()
    const before = this.sent
    this.sent = state
    const isSent = before?.kind === 'ok' && state.kind === 'ok' && before.value === state.value
    const isHeld = this.#held !== '' && state.kind === 'ok' && this.#held === hashOf(content)
    if (state.kind === 'ok') this.#held = ''
    return isSent || isHeld ? hashFieldOf(content) : content
  }
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

  override frameChanged(): void {
    this.#owner.entryChanged(this)
  }
}

/** A replica set: sent while it is a leaf of a tree of this stream, or subscribed by itself. */
export class ReplicaEntry extends WatchEntry<ReplicaSet> {
  readonly #owner: EntryOwner
  readonly key: string
  isSubscribed = false
  /** How many leaves of this stream's trees it is. */
  leaves = 0

  constructor(owner: EntryOwner, key: string, held: WireHash) {
    super(held)
    this.#owner = owner
    this.key = key
  }

  override frameChanged(): void {
    this.#owner.entryChanged(this)
  }
}
