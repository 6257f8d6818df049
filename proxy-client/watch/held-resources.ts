// Everything that a proxy holds, as one stream has brought or confirmed it. Knows neither the stream nor who looks.
import { eachLeaf } from '../../naming/tree-leaves.ts'
import type { ReceivedUpdate } from '../../proto/updates.ts'
import type { WireName } from '../../proto/watch-requests.ts'
import type { Clock } from '../../watch/clock.ts'
import type { Stale, State } from '../../watch/state.ts'
import { HeldName } from './held-name.ts'
import { type HeldReplicas, type ReplicaEvents, ReplicaStore } from './replica-store.ts'

/** Told of what the server of the stream may have to hear of. */
export interface HeldEvents extends ReplicaEvents {
  /** A name is wanted from now on. */
  nameOpened(name: HeldName): void
  nameClosed(name: HeldName): void
  /** Another mark may stand for it in the digest. */
  nameTold(name: HeldName): void
  /** A tree is shown that waited for its leaves. */
  treeShown(): void
}

/** For what no stream feeds. */
export const unheard: HeldEvents = {
  wantChanged: () => {},
  markChanged: () => {},
  nameOpened: () => {},
  nameClosed: () => {},
  nameTold: () => {},
  treeShown: () => {},
}

export class HeldResources {
  readonly replicas: ReplicaStore
  readonly #clock: Clock
  readonly #events: HeldEvents
  readonly #names = new Map<number, HeldName>()
  /** Names with a tree that waits for its leaves, and the message of this stream that brought or confirmed it, oldest first. */
  readonly #waiting = new Map<HeldName, number>()

  /** With what `from` holds, of which this stream has still to say something. */
  constructor(clock: Clock, events: HeldEvents, from?: HeldResources) {
    this.#clock = clock
    this.#events = events
    this.replicas = new ReplicaStore(clock, events, from?.replicas)
    for (const name of from?.names ?? []) {
      const held = this.#makeName(name.key, name.name, name)
      if (held.isWaiting) this.#waiting.set(held, 0)
    }
    for (const replicas of this.replicas.values()) this.#events.wantChanged(replicas)
  }

  get names(): Iterable<HeldName> {
    return this.#names.values()
  }

  get nameCount(): number {
    return this.#names.size
  }

  name(key: number): HeldName | undefined {
    return this.#names.get(key)
  }

  openName(key: number, name: WireName): HeldName {
    return this.#makeName(key, name)
  }

  closeName(key: number): void {
    const held = this.#names.get(key)
    if (held === undefined) return
    this.#names.delete(key)
    held.shown.detach()
    held.close()
    // What was not in use because of it alone is now.
    if (this.#waiting.delete(held)) this.#events.treeShown()
    this.#events.nameClosed(held)
  }

  /** Takes the updates of one message; false when one of them confirms a content that is not held. */
  receive(updates: Iterable<ReceivedUpdate>, sequence: number): boolean {
    let isConsistent = true
    for (const update of updates) if (!this.#apply(update, sequence)) isConsistent = false
    for (const held of this.#waiting.keys()) {
      held.showIfReady()
      if (!held.isWaiting) this.#waiting.delete(held)
    }
    return isConsistent
  }

  /** The last message up to which no tree waits, when `received` is the last one. */
  appliedOf(received: number): number {
    for (const [held, sequence] of this.#waiting) if (held.isWaiting && sequence > 0) return sequence - 1
    return received
  }

  /** Nothing is confirmed any more. */
  lose(stale: Stale): void {
    for (const held of this.#names.values()) held.lose(stale)
    this.replicas.lose(stale)
  }

  /** What the stream has said nothing of is not confirmed. */
  loseUntold(stale: Stale): void {
    for (const held of this.#names.values()) if (!held.isTold) held.lose(stale)
    this.replicas.lose(stale, replicas => !replicas.isTold)
  }

  /** Whether this shows all that `other` shows, as fresh and with the same content, so that nobody notices who takes its place. */
  isAsGoodAs(other: HeldResources): boolean {
    for (const theirs of other.#names.values()) {
      const ours = this.#names.get(theirs.key)
      if (ours === undefined || !isAsGood(ours, theirs, ours.newest, theirs.newest)) return false
      if (ours.isWaiting && !theirs.isWaiting) return false
    }
    for (const theirs of other.replicas.values()) {
      const ours = this.replicas.get(theirs.id)
      if (ours === undefined || !isAsGood(ours, theirs, ours.shown.state, theirs.shown.state)) return false
    }
    return true
  }

  /** This is shown instead of `other` from now on, to those who saw that. */
  takePlaceOf(other: HeldResources): void {
    for (const held of this.#names.values()) {
      const before = other.#names.get(held.key)
      if (before !== undefined) held.takePlaceOf(before)
    }
    this.replicas.takePlaceOf(other.replicas)
  }

  /** Shows nothing to anybody from now on, and leaves no timer. */
  close(): void {
    for (const held of this.#names.values()) {
      held.shown.detach()
      held.close()
    }
    for (const replicas of this.replicas.values()) replicas.shown.detach()
    this.#names.clear()
    this.#waiting.clear()
  }

  #makeName(key: number, name: WireName, from?: HeldName): HeldName {
    const onShown = (): void => this.#events.treeShown()
    const held = new HeldName(key, name, { replicas: this.replicas, clock: this.#clock, onShown }, from)
    this.#names.set(key, held)
    this.#events.nameOpened(held)
    return held
  }

  #apply(update: ReceivedUpdate, sequence: number): boolean {
    if (update.kind === 'replicas') return this.replicas.receive(update)
    const held = this.#names.get(update.key)
    // A name that was given up while this was on its way is no more.
    if (held === undefined) {
      if (update.state.kind === 'ok') eachLeaf(update.state.value, ({ id }) => this.replicas.giveUp(id))
      return true
    }
    const isConsistent = held.receive(update.hash, update.state)
    this.#events.nameTold(held)
    const isNewTree = update.state.kind === 'ok' || update.state.kind === 'same'
    if (!held.isWaiting) this.#waiting.delete(held)
    else if (isNewTree && isConsistent) {
      this.#waiting.delete(held)
      this.#waiting.set(held, sequence)
    }
    return isConsistent
  }
}

/** A resource of one stream that may stand for that of another. */
function isAsGood(
  ours: HeldName | HeldReplicas,
  theirs: HeldName | HeldReplicas,
  our: State<unknown>,
  their: State<unknown>,
): boolean {
  if (!ours.isTold) return false
  if (their.kind !== 'ok' || their.stale !== undefined) return true
  return our.kind === 'ok' && our.stale === undefined && ours.hash === theirs.hash
}
