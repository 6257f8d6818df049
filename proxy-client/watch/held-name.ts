// One watched name: the tree shown, and the one that waits until its leaves are known (make before break). Knows no stream.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import type { ReceivedState, WireHash } from '../../proto/updates.ts'
import type { WireName } from '../../proto/watch-requests.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { type Ok, ok, type Stale, type State } from '../../watch/state.ts'
import { ShownState, staleSince, stateAfter } from './held-state.ts'
import type { ReplicaStore } from './replica-store.ts'

/** A tree is shown at the latest this long after it came, leaves known or not. */
const maxWaitMs = 5_000

export class HeldName {
  readonly key: number
  readonly name: WireName
  readonly shown = new ShownState<BoundTree>()
  /** Of the newest content received, shown or waiting; empty when there is none. */
  hash: WireHash = ''
  readonly #replicas: ReplicaStore
  readonly #clock: Clock
  /** The tree whose turn has not come. */
  #waiting: Ok<BoundTree> | undefined
  #cancelWait: Cancel | undefined

  constructor(key: number, name: WireName, replicas: ReplicaStore, clock: Clock) {
    this.key = key
    this.name = name
    this.#replicas = replicas
    this.#clock = clock
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** Takes an update of this name. Throws a RangeError when it confirms content that is not held. */
  receive(hash: WireHash, update: ReceivedState<BoundTree>): void {
    if (update.kind === 'ok') {
      this.hash = hash
      this.#offer(update)
    } else if (update.kind === 'same') {
      if (hash !== this.hash) throw new RangeError('a tree is confirmed that is not held')
      if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, update.stale)
      else this.shown.state = stateAfter(this.shown.state, update, this.#clock.now())
    } else {
      this.#withhold(update)
    }
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
    this.#releaseTree(this.#waiting)
    this.#releaseTree(this.shown.state)
    this.#waiting = undefined
  }

  #offer(tree: Ok<BoundTree>): void {
    const replaced = this.#waiting
    eachLeaf(tree.value, ({ id }) => this.#replicas.addLeaf(id))
    this.#waiting = tree
    this.#releaseTree(replaced)
    if (this.shown.state.kind !== 'ok' || this.#isReady(tree.value)) this.#show(tree)
    else this.#cancelWait ??= this.#clock.after(maxWaitMs, () => this.#showLate())
  }

  #showLate(): void {
    if (this.#waiting !== undefined) this.#show(this.#waiting)
  }

  /** Moves the waiting tree, with the leaves it holds, to the front. */
  #show(tree: Ok<BoundTree>): void {
    this.#stopWaiting()
    this.#waiting = undefined
    const before = this.shown.state
    this.shown.state = tree
    this.#releaseTree(before)
  }

  /** The server has no good answer now: what is held stands unless the failure is final. */
  #withhold(update: Exclude<ReceivedState<BoundTree>, Ok<BoundTree>>): void {
    const before = this.shown.state
    this.shown.state = stateAfter(before, update, this.#clock.now())
    if (this.shown.state.kind === 'ok') {
      if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, this.shown.state.stale)
      return
    }
    this.hash = ''
    this.#stopWaiting()
    this.#releaseTree(this.#waiting)
    this.#waiting = undefined
    this.#releaseTree(before)
  }

  #isReady(tree: BoundTree): boolean {
    let isReady = true
    eachLeaf(tree, ({ id }) => {
      isReady &&= this.#replicas.isSettled(id)
    })
    return isReady
  }

  #stopWaiting(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
  }

  #releaseTree(tree: State<BoundTree> | undefined): void {
    if (tree?.kind === 'ok') eachLeaf(tree.value, ({ id }) => this.#replicas.removeLeaf(id))
  }
}
