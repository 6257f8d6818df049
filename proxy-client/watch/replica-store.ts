// The replica sets a proxy holds: those it watches, and those that are leaves of a tree it holds. Knows no stream.
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { noUpdate, type UpdateMark } from '../../proto/content-digest.ts'
import type { ReceivedUpdate, WireHash } from '../../proto/updates.ts'
import type { Clock } from '../../watch/clock.ts'
import { pending, type Stale } from '../../watch/state.ts'
import {
  markOf,
  newsOf,
  ShownState,
  staleSince,
  stateAfter,
  type ToldUpdate,
  toldBy,
  untold,
  withValueOf,
} from './held-state.ts'

/** One replica set. */
export class HeldReplicas {
  readonly id: Path
  readonly shown: ShownState<ReplicaSet>
  /** Of the content held; empty when there is none. */
  hash: WireHash
  /** Whether someone watches it by itself. */
  isWatched: boolean
  /** How many leaves of held trees it is. */
  leaves = 0
  /** How many leaves of trees that this stream brought or confirmed. */
  followedLeaves = 0
  /** How many leaves of trees that came from another stream, of which this one has said nothing. */
  carriedLeaves = 0
  /** What the server of this stream last said of it. */
  told = untold
  /** Whether it stands before the tree that it is a leaf of, which is still on its way. */
  isAhead = false
  /** Whether that server has been told that this is wanted by itself. */
  isSubscribed = false
  /** What stands for it in the digest; owned by that. */
  digested: UpdateMark = noUpdate

  /** With what `from`, the set of another stream, holds. */
  constructor(id: Path, from?: HeldReplicas) {
    this.id = id
    this.shown = new ShownState(from?.shown.state ?? pending)
    this.hash = from?.hash ?? ''
    this.isWatched = from?.isWatched ?? false
  }

  get resource(): Path {
    return this.id
  }

  get isTold(): boolean {
    return this.told !== untold
  }

  /**
   * Whether to subscribe to it by itself: someone watches it, or it is a leaf of which the server says nothing, for it
   * takes the client to hold what another name has just given up, or does not know the tree yet.
   */
  get isWanted(): boolean {
    return this.isWatched || (this.leaves > 0 && (!this.isTold || this.carriedLeaves > 0))
  }

  /** Whether the server sends its updates on this stream, as far as is known here. */
  get isFollowed(): boolean {
    return this.isSubscribed || this.isAhead || this.followedLeaves > 0
  }

  get mark(): UpdateMark {
    return markOf(this.told, this.isFollowed)
  }
}

type ReplicaUpdate = Extract<ReceivedUpdate, { kind: 'replicas' }>

/** A set may come so much earlier than the tree that it is a leaf of. */
const maxAheadMs = 5_000
/** So long after a set was given up its server may not have heard of that. */
const crossingMs = 2_000

/** Told of every set that changes in a way that its server may have to hear of. */
export interface ReplicaEvents {
  /** It may have to be subscribed or unsubscribed by itself. */
  wantChanged(replicas: HeldReplicas): void
  /** Another mark may stand for it in the digest. */
  markChanged(replicas: HeldReplicas): void
}

/** The ways in which a set can be a leaf. */
export type LeafCount = 'leaves' | 'followedLeaves' | 'carriedLeaves'

export class ReplicaStore {
  readonly #clock: Clock
  readonly #events: ReplicaEvents
  readonly #held = new Map<string, HeldReplicas>()
  /** What came and was no leaf of a held tree, and until when such a tree may come, on the monotonic clock. */
  readonly #ahead = new Map<HeldReplicas, number>()
  /** What was held until a moment ago: news of it has crossed with word that it is given up. Half of that is older. */
  #dropped = new Set<string>()
  #droppedBefore = new Set<string>()
  #droppedSince = 0

  /** With what `from`, the store of another stream, holds; leaves are counted by who adds them. */
  constructor(clock: Clock, events: ReplicaEvents, from?: ReplicaStore) {
    this.#clock = clock
    this.#events = events
    for (const replicas of from?.values() ?? [])
      if (replicas.leaves > 0 || replicas.isWatched)
        this.#held.set(showPath(replicas.id), new HeldReplicas(replicas.id, replicas))
  }

  get size(): number {
    return this.#held.size
  }

  values(): Iterable<HeldReplicas> {
    return this.#held.values()
  }

  get(id: Path): HeldReplicas | undefined {
    return this.#held.get(showPath(id))
  }

  /** Watched by itself from now on, until unwatch. */
  watch(id: Path): HeldReplicas {
    const replicas = this.#at(id)
    replicas.isWatched = true
    this.#events.wantChanged(replicas)
    return replicas
  }

  unwatch(id: Path): void {
    const replicas = this.get(id)
    if (replicas === undefined) return
    replicas.isWatched = false
    replicas.shown.detach()
    this.#dropUnused(replicas)
    this.#events.wantChanged(replicas)
  }

  /** Whether something is known of the id, be it a failure. */
  isSettled(id: Path): boolean {
    const state = this.get(id)?.shown.state
    return state !== undefined && state.kind !== 'pending'
  }

  /** Takes an update; a set that nobody holds stands before a tree that does. False when it confirms a content that is not held. */
  receive({ id, hash, state: received }: ReplicaUpdate): boolean {
    const replicas = this.#at(id)
    const state = newsOf(received, hash, replicas.hash)
    if (replicas.leaves === 0 && !replicas.isWatched) {
      const key = showPath(id)
      const isGivenUp = this.#dropped.has(key) || this.#droppedBefore.has(key)
      this.#ahead.set(replicas, isGivenUp ? 0 : this.#clock.monotonic() + maxAheadMs)
      replicas.isAhead = true
    }
    // It may confirm what was given up before the server knew: then nothing at all is held.
    if (state.kind === 'same' && (hash !== replicas.hash || hash === '')) return replicas.hash === ''
    if (state.kind === 'ok') {
      replicas.hash = hash
      replicas.shown.state = state
    } else {
      replicas.shown.state = stateAfter(replicas.shown.state, state, this.#clock.now())
      if (replicas.shown.state.kind !== 'ok') replicas.hash = ''
    }
    this.#tell(replicas, toldBy(hash, received))
    return true
  }

  /** The server knows nothing of the set: it has to hear of it anew. */
  forget(id: Path): void {
    const replicas = this.get(id)
    if (replicas === undefined) return
    replicas.isSubscribed = false
    this.#tell(replicas, untold)
  }

  /** The tree that it came ahead of is of a name that was given up. */
  giveUp(id: Path): void {
    const replicas = this.get(id)
    if (replicas?.isAhead) this.#ahead.set(replicas, 0)
  }

  /** A message is over: what came ahead of a tree that is not to be expected any more goes. */
  dropUnclaimed(): void {
    const now = this.#clock.monotonic()
    for (const [replicas, endsAt] of this.#ahead) {
      const isClaimed = replicas.leaves > 0 || replicas.isWatched
      if (!isClaimed && now < endsAt) continue
      this.#ahead.delete(replicas)
      replicas.isAhead = false
      this.#events.markChanged(replicas)
      this.#dropUnused(replicas)
    }
  }

  /** One leaf of one tree more, in one of the ways to be a leaf. */
  addLeaf(id: Path, count: LeafCount = 'leaves'): void {
    this.#changeLeaves(this.#at(id), count, 1)
  }

  /** The opposite of addLeaf. */
  removeLeaf(id: Path, count: LeafCount = 'leaves'): void {
    const replicas = this.get(id)
    if (replicas === undefined) return
    this.#changeLeaves(replicas, count, -1)
    this.#dropUnused(replicas)
  }

  /** The sets of another stream that hold the same: watchers need not hear of what only looks new. */
  takePlaceOf(store: ReplicaStore): void {
    for (const ours of this.#held.values()) {
      const theirs = store.get(ours.id)
      if (theirs?.hash === ours.hash) ours.shown.state = withValueOf(ours.shown.state, theirs.shown.state)
    }
  }

  /** Nothing is confirmed any more. */
  lose(stale: Stale, isLost: (replicas: HeldReplicas) => boolean = () => true): void {
    for (const replicas of this.#held.values())
      if (isLost(replicas)) replicas.shown.state = staleSince(replicas.shown.state, stale)
  }

  #at(id: Path): HeldReplicas {
    const key = showPath(id)
    const known = this.#held.get(key)
    if (known !== undefined) return known
    const made = new HeldReplicas(id)
    this.#held.set(key, made)
    return made
  }

  #changeLeaves(replicas: HeldReplicas, count: LeafCount, change: 1 | -1): void {
    const wasWanted = replicas.isWanted
    replicas[count] += change
    if (replicas.isWanted !== wasWanted) this.#events.wantChanged(replicas)
    if (count === 'followedLeaves') this.#events.markChanged(replicas)
  }

  #tell(replicas: HeldReplicas, told: ToldUpdate): void {
    replicas.told = told
    this.#events.markChanged(replicas)
    if (replicas.isSubscribed !== replicas.isWanted) this.#events.wantChanged(replicas)
  }

  #dropUnused(replicas: HeldReplicas): void {
    if (replicas.leaves > 0 || replicas.isWatched || replicas.isAhead) return
    const key = showPath(replicas.id)
    this.#held.delete(key)
    this.#noteDropped(key)
    this.#events.markChanged(replicas)
    if (replicas.isSubscribed) this.#events.wantChanged(replicas)
  }

  #noteDropped(key: string): void {
    const now = this.#clock.monotonic()
    if (now - this.#droppedSince > crossingMs) {
      this.#droppedBefore = now - this.#droppedSince > 2 * crossingMs ? new Set() : this.#dropped
      this.#dropped = new Set()
      this.#droppedSince = now
    }
    this.#dropped.add(key)
  }
}
