// The resources of one Watch stream: what each adds to an entry so that a client that has a content is not sent it again.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { noUpdate, type UpdateMark } from '../../proto/content-digest.ts'
import { type Content, hashFieldOf, hashOf, isFailure, type WireHash } from '../../proto/updates.ts'
import type { Cell } from '../../watch/cell.ts'
import { awaited, type State } from '../../watch/state.ts'
import { Entry } from '../push/entry.ts'
import type { Mailbox } from '../push/mailbox.ts'
import { takesAway } from '../push/removals.ts'
import type { NamespaceUse } from './namespace-uses.ts'

/** Whether a state makes a client drop what it holds: a failure that only a change of rules can end. */
export function isFinal(state: State<unknown>): boolean {
  return state.kind === 'failed' && !NamingError.from(state.error).retryable
}

/** What one stream has said of one resource, beside what every entry remembers. */
export abstract class WatchEntry<T = unknown> extends Entry<T> {
  /** Of the last update of it on this stream. */
  mark: UpdateMark = noUpdate
  /** The content that the client said it holds, until something is sent that settles it. */
  #held: WireHash

  constructor(mailbox: Mailbox, held: WireHash) {
    super(mailbox)
    this.#held = held
  }

  /** What the client holds from another stream; whatever was sent on this one counts no more. */
  restart(held: WireHash): void {
    this.#held = held
    this.sent = undefined
    if (this.state !== awaited) this.deliver(this.state)
  }

  /** The fields to send of the newest state: of its content, the hash alone when the client has it. */
  fieldsOf(content: Content): Content {
    const { state, sent } = this
    const isValue = state.kind === 'ok' && !isFailure(content)
    const isSent = isValue && sent?.kind === 'ok' && sent.value === state.value
    const isHeld = isValue && this.#held !== '' && this.#held === hashOf(content)
    return isSent || isHeld ? hashFieldOf(content) : content
  }

  override noteSent(now: number): void {
    super.noteSent(now)
    if (this.state.kind === 'ok' || isFinal(this.state)) this.#held = ''
  }
}

/** What a client says of a name it subscribes to; `held`: the hash of what it has of it. */
export interface NameFacts {
  readonly key: number
  /** Absent for a name that is refused: it has no cell. */
  readonly use?: NamespaceUse
  readonly held: WireHash
}

/** A subscribed name. */
export class NameEntry extends WatchEntry<BoundTree> {
  readonly key: number
  readonly use: NamespaceUse | undefined
  /** The tree whose leaves this stream keeps sending. */
  tree: BoundTree | undefined
  #isWaiting = false

  constructor(mailbox: Mailbox, { key, use, held }: NameFacts) {
    super(mailbox, held)
    this.key = key
    this.use = use
  }

  override get kind(): 'tree' {
    return 'tree'
  }

  override get isRemoval(): boolean {
    return false
  }

  /** For people. */
  get name(): string {
    return this.cellName ?? `key ${this.key}`
  }

  /** The client goes on with an old tree, since the newest is not known: so long it is behind, whatever it confirms. */
  set isWaiting(isWaiting: boolean) {
    if (isWaiting === this.#isWaiting) return
    this.#isWaiting = isWaiting
    this.use?.addWaiting(isWaiting ? 1 : -1)
  }

  /** Its first state is news before it is known: in a thread that takes a while. */
  override open(cell: Cell<BoundTree>): void {
    this.use?.addUnsettled(1)
    super.open(cell)
  }

  override deliver(state: State<BoundTree>): void {
    if (this.list === undefined && this.state !== awaited) this.use?.addUnsettled(1)
    super.deliver(state)
  }

  /** Leaves the mailbox without its news having been sent. */
  override close(): void {
    this.isWaiting = false
    if (this.list !== undefined || this.state === awaited) this.use?.addUnsettled(-1)
    super.close()
  }
}

/** A replica set: sent while it is a leaf of a tree of this stream, or subscribed by itself. */
export class ReplicaEntry extends WatchEntry<ReplicaSet> {
  readonly id: Path
  /** `refused`: it has no cell, and is no leaf. */
  subscription: 'none' | 'taken' | 'refused' = 'none'
  /** How many leaves of this stream's trees it is. */
  leaves = 0

  constructor(mailbox: Mailbox, id: Path, held: WireHash) {
    super(mailbox, held)
    this.id = id
  }

  override get kind(): 'replicas' {
    return 'replicas'
  }

  override get isRemoval(): boolean {
    return takesAway(this.sent, this.state)
  }
}
