// The tree of one name as it is shown, and the one that waits until its leaves are known (make before break). Knows no stream.
import type { BoundTree } from '../naming/bound-tree.ts'
import type { Path } from '../naming/path.ts'
import { eachLeaf } from '../naming/tree-leaves.ts'
import type { Cancel, Clock } from '../watch/clock.ts'
import { type Ok, ok, pending, type Stale, type State } from '../watch/state.ts'
import { type ContentlessState, ShownState, staleSince, stateAfter } from './watch/held-state.ts'

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
  readonly shown: ShownState<BoundTree>
  readonly #leaves: LeafHolder
  readonly #clock: Clock
  /** The tree whose turn has not come. */
  #waiting: Ok<BoundTree> | undefined
  #cancelWait: Cancel | undefined
  /** On the monotonic clock; meaningless when no tree waits. */
  #waitEndsAt = 0

  /** With what `from` holds. */
  constructor(leaves: LeafHolder, clock: Clock, from?: TreeInTurn) {
    this.#leaves = leaves
    this.#clock = clock
    this.shown = new ShownState(from?.shown.state ?? pending)
    if (from === undefined) return
    this.#hold(this.shown.state)
    if (from.#waiting !== undefined) this.offer(from.#waiting, from.#waitEndsAt - clock.monotonic())
  }

  get isWaiting(): boolean {
    return this.#waiting !== undefined
  }

  /** The newest state: of the tree that waits, when there is one. */
  get newest(): State<BoundTree> {
    return this.#waiting ?? this.shown.state
  }

  /** A new tree: it takes over when its leaves are known, at the latest after `waitMs`, and at once from nothing. */
  offer(tree: Ok<BoundTree>, waitMs = maxWaitMs): void {
    const replaced = this.#waiting
    this.#hold(tree)
    this.#waiting = tree
    this.#release(replaced)
    if (this.shown.state.kind !== 'ok' || this.#isReady(tree.value)) this.#show(tree)
    else if (this.#cancelWait === undefined) this.#wait(waitMs)
  }

  /** The newest tree is what the server has; `stale`: as far as that knows. */
  confirm(stale?: Stale): void {
    if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, stale)
    else if (this.shown.state.kind === 'ok') this.shown.state = ok(this.shown.state.value, stale)
  }

  /** The server has no good answer now: what is held stands unless the failure is final. */
  withhold(update: Exclude<ContentlessState<BoundTree>, { readonly kind: 'same' }>): void {
    const before = this.shown.state
    this.shown.state = stateAfter(before, update, this.#clock.now())
    if (this.shown.state.kind === 'ok') {
      if (this.#waiting !== undefined) this.#waiting = ok(this.#waiting.value, this.shown.state.stale)
      return
    }
    this.dropping()
    this.#stopWaiting()
    this.#release(this.#waiting)
    this.#waiting = undefined
    this.#release(before)
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

  /** No tree is held any more; their leaves are given back next. */
  protected dropping(): void {}

  /** A tree is shown that waited. */
  protected waitEnded(): void {}

  #wait(waitMs: number): void {
    this.#waitEndsAt = this.#clock.monotonic() + waitMs
    this.#cancelWait = this.#clock.after(Math.max(0, waitMs), () => {
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
    this.#release(before)
    if (hasWaited) this.waitEnded()
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

  #hold(tree: State<BoundTree>): void {
    if (tree.kind === 'ok') eachLeaf(tree.value, ({ id }) => this.#leaves.addLeaf(id))
  }

  #release(tree: State<BoundTree> | undefined): void {
    if (tree?.kind === 'ok') eachLeaf(tree.value, ({ id }) => this.#leaves.removeLeaf(id))
  }
}
