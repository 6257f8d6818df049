// One watched name: the tree shown, and the one that waits until its leaves are known (make before break). Knows no stream.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { noUpdate, type UpdateMark } from '../../proto/content-digest.ts'
import type { ReceivedState, WireHash } from '../../proto/updates.ts'
import type { WireName } from '../../proto/watch-requests.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { type Ok, ok, pending, type Stale, type State } from '../../watch/state.ts'
import { type ContentlessState, markOf, ShownState, staleSince, stateAfter, toldBy, untold } from './held-state.ts'
import type { LeafCount, ReplicaStore } from './replica-store.ts'

/** A tree is shown at the latest this long after it came, leaves known or not. */
const maxWaitMs = 5_000

export interface HeldNameOptions {
  readonly replicas: ReplicaStore
  readonly clock: Clock
  /** Told when a tree is shown that waited. */
  readonly onShown: (name: HeldName) => void
}

export class HeldName {
  readonly key: number
  readonly name: WireName
  readonly shown: ShownState<BoundTree>
  /** Of the newest content held, shown or waiting; empty when there is none. */
  hash: WireHash = ''
  /** What the server of this stream last said of it. */
  told = untold
  /** Whether that server has been told of it. */
  isSubscribed = false
  /** What stands for it in the digest; owned by that. */
  digested: UpdateMark = noUpdate
  readonly #options: HeldNameOptions
  /** The tree whose turn has not come. */
  #waiting: Ok<BoundTree> | undefined
  #cancelWait: Cancel | undefined
  /** On the monotonic clock; meaningless when no tree waits. */
  #waitEndsAt = 0
  /** The tree whose leaves the server sends on this stream, as far as is known here. */
  #followed: BoundTree | undefined
  /** The newest tree held, where the server sends the leaves of none that is. */
  #carried: BoundTree | undefined

  /** With what `from`, the name of another stream, holds. */
  constructor(key: number, name: WireName, options: HeldNameOptions, from?: HeldName) {
    this.key = key
    this.name = name
    this.#options = options
    this.shown = new ShownState(from?.shown.state ?? pending)
    if (from !== undefined) this.#copy(from)
  }

  get resource(): number {
    return this.key
  }

  get isTold(): boolean {
    return this.told !== untold
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** The newest state: of the tree that waits, when there is one. */
  get newest(): State<BoundTree> {
    return this.#waiting ?? this.shown.state
  }

  get mark(): UpdateMark {
    return markOf(this.told, this.isSubscribed)
  }

  /** Takes an update of this name; false when it confirms a content that is not held. */
  receive(hash: WireHash, update: ReceivedState<BoundTree>): boolean {
    if (update.kind === 'same' && (hash !== this.hash || hash === '')) return false
    if (update.kind === 'ok') {
      this.hash = hash
      this.#follow(update.value)
      this.#offer(update)
    } else if (update.kind === 'same') this.#confirm(update)
    else {
      this.#withhold(update)
      if (update.kind === 'unusable') this.#carry()
    }
    this.told = toldBy(hash, update)
    return true
  }

  /** The server knows nothing of it: it has to hear of it anew. */
  forget(): void {
    this.isSubscribed = false
    this.told = untold
  }

  /** Shows the waiting tree if its leaves are known by now. */
  showIfReady(): void {
    const waiting = this.#waiting
    if (waiting !== undefined && this.#isReady(waiting.value)) this.#show(waiting)
  }

  /** Nothing is confirmed any more. */
  lose(stale: Stale): void {
    if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, this.#waiting.stale ?? stale)
    this.shown.state = staleSince(this.shown.state, stale)
  }

  /** Gives its leaves back. */
  close(): void {
    this.#stopWaiting()
    this.#follow(undefined)
    this.#releaseTree(this.#waiting)
    this.#releaseTree(this.shown.state)
    this.#waiting = undefined
  }

  #copy(from: HeldName): void {
    this.hash = from.hash
    if (this.shown.state.kind === 'ok') this.#addLeaves(this.shown.state.value, 'leaves')
    if (from.#waiting !== undefined) this.#offer(from.#waiting, from.#waitEndsAt - this.#options.clock.monotonic())
    this.#carry()
  }

  /** The server does not send the leaves of what is held, for it does not know that, or sends those of something better. */
  #carry(): void {
    this.#follow(undefined)
    const { newest } = this
    if (newest.kind !== 'ok') return
    this.#carried = newest.value
    this.#addLeaves(newest.value, 'carriedLeaves')
  }

  #offer(tree: Ok<BoundTree>, waitMs = maxWaitMs): void {
    const replaced = this.#waiting
    this.#addLeaves(tree.value, 'leaves')
    this.#waiting = tree
    this.#releaseTree(replaced)
    if (this.shown.state.kind !== 'ok' || this.#isReady(tree.value)) this.#show(tree)
    else if (this.#cancelWait === undefined) this.#wait(waitMs)
  }

  #wait(waitMs: number): void {
    const { clock } = this.#options
    this.#waitEndsAt = clock.monotonic() + waitMs
    this.#cancelWait = clock.after(Math.max(0, waitMs), () => {
      if (this.#waiting !== undefined) this.#show(this.#waiting)
    })
  }

  /** Moves the waiting tree, with the leaves it holds, to the front. */
  #show(tree: Ok<BoundTree>): void {
    const hasWaited = this.#cancelWait !== undefined
    this.#stopWaiting()
    this.#waiting = undefined
    const before = this.shown.state
    this.shown.state = tree
    this.#releaseTree(before)
    if (hasWaited) this.#options.onShown(this)
  }

  #confirm(update: ContentlessState<BoundTree> & { readonly kind: 'same' }): void {
    if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, update.stale)
    else this.shown.state = stateAfter(this.shown.state, update, this.#options.clock.now())
    const { newest } = this
    if (newest.kind === 'ok') this.#follow(newest.value)
  }

  /** The server has no good answer now: what is held stands unless the failure is final. */
  #withhold(update: ContentlessState<BoundTree>): void {
    const before = this.shown.state
    this.shown.state = stateAfter(before, update, this.#options.clock.now())
    if (this.shown.state.kind === 'ok') {
      if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, this.shown.state.stale)
      return
    }
    this.hash = ''
    this.#stopWaiting()
    this.#follow(undefined)
    this.#releaseTree(this.#waiting)
    this.#waiting = undefined
    this.#releaseTree(before)
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

  #isReady(tree: BoundTree): boolean {
    const { replicas } = this.#options
    let isReady = true
    eachLeaf(tree, ({ id }) => {
      isReady &&= replicas.isSettled(id)
    })
    return isReady
  }

  #stopWaiting(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
  }

  #releaseTree(tree: State<BoundTree> | undefined): void {
    if (tree?.kind === 'ok') this.#removeLeaves(tree.value, 'leaves')
  }

  #addLeaves(tree: BoundTree, count: LeafCount): void {
    eachLeaf(tree, ({ id }) => this.#options.replicas.addLeaf(id, count))
  }

  #removeLeaves(tree: BoundTree, count: LeafCount): void {
    eachLeaf(tree, ({ id }) => this.#options.replicas.removeLeaf(id, count))
  }
}
