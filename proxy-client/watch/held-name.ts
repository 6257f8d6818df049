// One watched name: its trees, and what the server of this stream has said of it and is to hear. Knows no stream.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { noUpdate, type UpdateMark } from '../../proto/content-digest.ts'
import type { ReceivedState, WireHash } from '../../proto/updates.ts'
import type { WireName } from '../../proto/watch-requests.ts'
import type { Clock } from '../../watch/clock.ts'
import { TreeInTurn } from '../tree-in-turn.ts'
import { markOf, newsOf, toldBy, untold, withValueOf } from './held-state.ts'
import type { LeafCount, ReplicaStore } from './replica-store.ts'

export interface HeldNameOptions {
  readonly replicas: ReplicaStore
  readonly clock: Clock
  /** Told when a tree is shown that waited. */
  readonly onShown: (name: HeldName) => void
}

export class HeldName extends TreeInTurn {
  readonly key: number
  readonly name: WireName
  /** Of the newest content held, shown or waiting; empty when there is none. */
  hash: WireHash = ''
  /** What the server of this stream last said of it. */
  told = untold
  /** Whether that server has been told of it. */
  isSubscribed = false
  /** What stands for it in the digest; owned by that. */
  digested: UpdateMark = noUpdate
  readonly #options: HeldNameOptions
  /** The tree whose leaves the server sends on this stream, as far as is known here. */
  #followed: BoundTree | undefined
  /** The newest tree held, where the server sends the leaves of none that is. */
  #carried: BoundTree | undefined

  /** With what `from`, the name of another stream, holds. */
  constructor(key: number, name: WireName, options: HeldNameOptions, from?: HeldName) {
    super(options.replicas, options.clock, from)
    this.key = key
    this.name = name
    this.#options = options
    if (from === undefined) return
    this.hash = from.hash
    this.#carry()
  }

  get resource(): number {
    return this.key
  }

  get isTold(): boolean {
    return this.told !== untold
  }

  get mark(): UpdateMark {
    return markOf(this.told, this.isSubscribed)
  }

  /** Takes an update of this name; false when it confirms a content that is not held. */
  receive(hash: WireHash, received: ReceivedState<BoundTree>): boolean {
    const update = newsOf(received, hash, this.hash)
    if (update.kind === 'same' && (hash !== this.hash || hash === '')) return false
    if (update.kind === 'ok') {
      this.hash = hash
      this.#follow(update.value)
      this.offer(update)
    } else if (update.kind === 'same') {
      this.confirm(update.stale)
      if (this.newest.kind === 'ok') this.#follow(this.newest.value)
    } else {
      this.withhold(update)
      if (update.kind === 'unusable') this.#carry()
    }
    this.told = toldBy(hash, received)
    return true
  }

  /** The server knows nothing of it: it has to hear of it anew. */
  forget(): void {
    this.isSubscribed = false
    this.told = untold
  }

  /** The name of another stream shows the same: watchers need not hear of what only looks new. */
  takePlaceOf(name: HeldName): void {
    if (this.hash === name.hash && !this.isWaiting && !name.isWaiting)
      this.shown.state = withValueOf(this.shown.state, name.shown.state)
  }

  override close(): void {
    this.#follow(undefined)
    super.close()
  }

  protected override dropping(): void {
    this.hash = ''
    this.#follow(undefined)
  }

  protected override waitEnded(): void {
    this.#options.onShown(this)
  }

  /** The server does not send the leaves of what is held, for it does not know that, or sends those of something better. */
  #carry(): void {
    this.#follow(undefined)
    const { newest } = this
    if (newest.kind !== 'ok') return
    this.#carried = newest.value
    this.#addLeaves(newest.value, 'carriedLeaves')
  }

  /** The server sends the leaves of this tree now; what another stream brought is no matter any more. */
  #follow(tree: BoundTree | undefined): void {
    const [followed, carried] = [this.#followed, this.#carried]
    this.#followed = tree
    this.#carried = undefined
    if (tree !== undefined) this.#addLeaves(tree, 'followedLeaves')
    if (followed !== undefined) this.#removeLeaves(followed, 'followedLeaves')
    if (carried !== undefined) this.#removeLeaves(carried, 'carriedLeaves')
  }

  #addLeaves(tree: BoundTree, count: LeafCount): void {
    eachLeaf(tree, ({ id }) => this.#options.replicas.addLeaf(id, count))
  }

  #removeLeaves(tree: BoundTree, count: LeafCount): void {
    eachLeaf(tree, ({ id }) => this.#options.replicas.removeLeaf(id, count))
  }
}
