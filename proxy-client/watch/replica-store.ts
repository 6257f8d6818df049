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
  /** Whether the server has been told that this is watched. */
  isSubscribed = false

  constructor(id: Path) {
    this.id = id
  }
}

type ReplicaUpdate = Extract<ReceivedUpdate, { kind: 'replicas' }>

export class ReplicaStore {
  readonly #clock: Clock
  readonly #held = new Map<string, HeldReplicas>()

  constructor(clock: Clock) {
    this.#clock = clock
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

  /** Takes an update; a set that nobody asked for stands before a tree that does. */
  receive({ id, hash, state }: ReplicaUpdate): void {
    const replicas = this.at(id)
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

  addLeaf(id: Path): void {
    this.at(id).leaves++
  }

  removeLeaf(id: Path): void {
    const replicas = this.at(id)
    replicas.leaves--
    this.dropUnused(replicas)
  }

  dropUnused(replicas: HeldReplicas): void {
    if (replicas.leaves <= 0 && !replicas.shown.isWatched) this.#held.delete(showPath(replicas.id))
  }

  /** Nothing is confirmed any more, and nobody will claim what came ahead of its tree. */
  lose(stale: Stale): void {
    for (const replicas of this.#held.values()) {
      replicas.isSubscribed = false
      replicas.shown.state = staleSince(replicas.shown.state, stale)
      this.dropUnused(replicas)
    }
  }

  /** The sets that are watched. */
  *watched(): Iterable<HeldReplicas> {
    for (const replicas of this.#held.values()) if (replicas.shown.isWatched) yield replicas
  }
}
