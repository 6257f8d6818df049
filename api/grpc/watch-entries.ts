// The resources of one Watch stream: what each adds to an entry so that a client that has a content is not sent it again.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Path } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { type Content, hashFieldOf, hashOf, isFailure, type WireHash } from '../../proto/updates.ts'
import type { State } from '../../watch/state.ts'
import { Entry } from '../push/entry.ts'
import type { Mailbox } from '../push/mailbox.ts'
import { takesAway } from '../push/removals.ts'

/** Whether a state makes a client drop what it holds: a failure that only a change of rules can end. */
export function isFinal(state: State<unknown>): boolean {
  return state.kind === 'failed' && !NamingError.from(state.error).retryable
}

abstract class WatchEntry<T> extends Entry<T> {
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
    this.mailbox.put(this)
  }

  /** Notes the newest state as sent and gives the fields to send: of its content, the hash alone when the client has it. */
  take(content: Content, now: number): Content {
    const { state, sent } = this
    this.noteSent(now)
    const isValue = state.kind === 'ok' && !isFailure(content)
    const isSent = isValue && sent?.kind === 'ok' && sent.value === state.value
    const isHeld = isValue && this.#held !== '' && this.#held === hashOf(content)
    if (state.kind === 'ok' || isFinal(state)) this.#held = ''
    return isSent || isHeld ? hashFieldOf(content) : content
  }
}

/** What a client says of a name it subscribes to; `held`: the hash of what it has of it. */
export interface NameFacts {
  readonly key: number
  readonly namespace: string
  readonly held: WireHash
}

/** A subscribed name. */
export class NameEntry extends WatchEntry<BoundTree> {
  readonly key: number
  readonly namespace: string
  /** The tree whose leaves this stream keeps sending. */
  tree: BoundTree | undefined

  constructor(mailbox: Mailbox, { key, namespace, held }: NameFacts) {
    super(mailbox, held)
    this.key = key
    this.namespace = namespace
  }

  override get kind(): 'tree' {
    return 'tree'
  }

  override get isRemoval(): boolean {
    return false
  }
}

/** A replica set: sent while it is a leaf of a tree of this stream, or subscribed by itself. */
export class ReplicaEntry extends WatchEntry<ReplicaSet> {
  readonly id: Path
  isSubscribed = false
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
