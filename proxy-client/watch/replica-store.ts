// The replica sets a proxy holds: those it watches, and those that are leaves of a tree it holds. Knows no stream.
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { ReceivedUpdate, WireHash } from '../../proto/updates.ts'
import type { Clock } from '../../watch/clock.ts'
import type { Stale } from '../../watch/state.ts'
import { ShownState, staleSince, stateAfter } from './held-state.ts'

/** One replica set. */
export class HeldReplicas {
  readonly id: Path
  readonly shown = new ShownState<ReplicaSet>()
  /** Of the content held; empty when there is none. */
  hash: WireHash = ''
  /** How many leaves of held trees it is. */
  leaves = 0
  /** Whether the server has said anything of it since it is held. */
  isTold = false
  /** Whether the server has been told that this is wanted by itself. */
  isSubscribed = false

  constructor(id: Path) {
    this.id = id
  }

  /**
   * Whether to subscribe to it by itself: someone watches it, or it is a leaf of which the server says nothing, for it
   * takes the client to hold what another name has just given up.
   */
  get isWanted(): boolean {
    return this.shown.isWatched || (this.leaves > 0 && !this.isTold)
  }
}

type ReplicaUpdate = Extract<ReceivedUpdate, { kind: 'replicas' }>

export class ReplicaStore {
  readonly #clock: Clock
  readonly #onWantChange: (replicas: HeldReplicas) => void
  readonly #held = new Map<string, HeldReplicas>()
  /** What came with the present message and nobody holds so far. */
  readonly #unclaimed = new Set<HeldReplicas>()

  /** `onWantChange`: told of a set that may have to be subscribed or unsubscribed by itself. */
  constructor(clock: Clock, onWantChange: (replicas: HeldReplicas) => void) {
    this.#clock = clock
    this.#onWantChange = onWantChange
  }

  get size(): number {
    return this.#held.size
  }

  /** The set of an id, made when it is not held yet. Give it back with dropUnused. */
  at(id: Path): HeldReplicas {
    const key = showPath(id)
    const known = this.#held.get(key)
    if (known !== undefined) return known
    const made = new HeldReplicas(id)
    this.#held.set(key, made)
    return made
  }

  /** Whether something is known of the id, be it a failure. */
  isSettled(id: Path): boolean {
    const state = this.#held.get(showPath(id))?.shown.state
    return state !== undefined && state.kind !== 'pending'
  }

  /** Takes an update; a set that nobody holds stands before a tree that does, in the same message. */
  receive({ id, hash, state }: ReplicaUpdate): void {
    const replicas = this.at(id)
    if (replicas.leaves === 0 && !replicas.shown.isWatched) this.#unclaimed.add(replicas)
    // It confirms what was given up before the server knew.
    if (state.kind === 'same' && !replicas.isTold && replicas.hash === '') return
    replicas.isTold = true
    this.#take(replicas, hash, state)
    if (replicas.isSubscribed && !replicas.isWanted) this.#onWantChange(replicas)
  }

  /** The message is over: what came ahead of a tree that nobody waits for any more goes. */
  dropUnclaimed(): void {
    for (const replicas of this.#unclaimed) this.dropUnused(replicas)
    this.#unclaimed.clear()
  }

  addLeaf(id: Path): void {
    const replicas = this.at(id)
    replicas.leaves++
    if (!replicas.isTold) this.#onWantChange(replicas)
  }

  removeLeaf(id: Path): void {
    const replicas = this.at(id)
    replicas.leaves--
    this.dropUnused(replicas)
  }

  dropUnused(replicas: HeldReplicas): void {
    if (replicas.leaves > 0 || replicas.shown.isWatched) return
    this.#held.delete(showPath(replicas.id))
    if (replicas.isSubscribed) this.#onWantChange(replicas)
  }

  /** Nothing is confirmed any more. */
  lose(stale: Stale): void {
    for (const replicas of this.#held.values()) {
      replicas.isSubscribed = false
      replicas.shown.state = staleSince(replicas.shown.state, stale)
    }
  }

  /** The sets that are watched. */
  *watched(): Iterable<HeldReplicas> {
    for (const replicas of this.#held.values()) if (replicas.shown.isWatched) yield replicas
  }

  #take(replicas: HeldReplicas, hash: WireHash, state: ReplicaUpdate['state']): void {
    if (state.kind === 'ok') {
      replicas.hash = hash
      replicas.shown.state = state
      return
    }
    if (state.kind === 'same' && hash !== replicas.hash)
      throw new RangeError('a replica set is confirmed that is not held')
    replicas.shown.state = stateAfter(replicas.shown.state, state, this.#clock.now())
    if (replicas.shown.state.kind !== 'ok') replicas.hash = ''
  }
}
