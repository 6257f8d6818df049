// The tree of one name as it is shown, and the one that waits until its leaves are known (make before break). Knows no stream.
import type { BoundTree } from '../naming/bound-tree.ts'
import type { Path } from '../naming/path.ts'
import { eachLeaf } from '../naming/tree-leaves.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import { type Failed, type Ok, ok, type Pending, type Stale, type State } from '../watch/state.ts'
import { ShownState, staleSince, stateAfter } from './watch/held-state.ts'

/** Where the replica sets of leaves are held. A leaf that was added twice is to be removed twice. */
export interface LeafHolder {
  addLeaf(id: Path): void
  removeLeaf(id: Path): void
  /** Whether something is known of a leaf that was added, be it a failure. */
  isSettled(id: Path): boolean
}

/** A tree is shown at the latest this long after it came, leaves known or not. */
const maxWaitMs = 5_000

export class TreeInTurn {
  readonly shown = new ShownState<BoundTree>()
  readonly #leaves: LeafHolder
  readonly #clock: Clock
  /** The tree whose turn has not come. */
  #waiting: Ok<BoundTree> | undefined
  #cancelWait: Cancel | undefined

  constructor(leaves: LeafHolder, clock: Clock) {
    this.#leaves = leaves
    this.#clock = clock
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** The newest tree, shown or waiting. */
  get newest(): BoundTree | undefined {
    const { state } = this.shown
    return this.#waiting?.value ?? (state.kind === 'ok' ? state.value : undefined)
  }

  /** A new tree: it takes over when its leaves are known, and at once from nothing. */
  offer(tree: Ok<BoundTree>): void {
    const replaced = this.#waiting
    this.#waiting = tree
    eachLeaf(tree.value, ({ id }) => this.#leaves.addLeaf(id))
    this.#release(replaced)
    if (this.shown.state.kind !== 'ok' || this.#isReady(tree.value)) this.#show(tree)
    else this.#cancelWait ??= this.#clock.after(maxWaitMs, () => this.#showLate())
  }

  /** The newest tree is what the server has. */
  confirm(stale?: Stale): void {
    if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, stale)
    else if (this.shown.state.kind === 'ok') this.shown.state = ok(this.shown.state.value, stale)
  }

  /** The server has no good answer now: what is held stands unless the failure is final. Says whether anything is still held. */
  withhold(update: Pending | Failed): boolean {
    const before = this.shown.state
    this.shown.state = stateAfter(before, update, this.#clock.now())
    if (this.shown.state.kind === 'ok') {
      if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, this.shown.state.stale)
      return true
    }
    this.#stopWaiting()
    this.#release(this.#waiting)
    this.#waiting = undefined
    this.#release(before)
    return false
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
    this.#release(this.#waiting)
    this.#waiting = undefined
    this.#release(this.shown.state)
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
    this.#release(before)
  }

  #isReady(tree: BoundTree): boolean {
    let isReady = true
    eachLeaf(tree, ({ id }) => {
      isReady &&= this.#leaves.isSettled(id)
    })
    return isReady
  }

  #stopWaiting(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
  }

  #release(tree: State<BoundTree> | undefined): void {
    if (tree?.kind === 'ok') eachLeaf(tree.value, ({ id }) => this.#leaves.removeLeaf(id))
  }
}
