// The subscriptions of one Watch stream, and which of them have something to send. A slow stream costs a place in a set
// per name, whatever the number of changes. Knows nothing of streams and back-pressure.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import { type Path, showPath } from '../../naming/path.ts'
import { failure, type Result } from '../../naming/result.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { type Content, encodeIdField, encodeStale, hashOf, type WireHash } from '../../proto/updates.ts'
import type { RequestPart } from '../../proto/watch-requests.ts'
import { failed, type State } from '../../watch/state.ts'
import type { WatchContext } from './watch-context.ts'
import { type Entry, type EntryOwner, isFinal, NameEntry, ReplicaEntry } from './watch-entries.ts'
import { bindRequestFromName, checkPath } from './wire-names.ts'

type Subscribe = Extract<RequestPart, { kind: 'subscribe' }>
type SubscribeReplicas = Extract<RequestPart, { kind: 'subscribe-replicas' }>

export class WatchSubscriptions implements EntryOwner {
  readonly #context: WatchContext
  readonly #onNews: () => void
  readonly #names = new Map<number, NameEntry>()
  readonly #replicas = new Map<string, ReplicaEntry>()
  /** What has news, in the order in which it came. */
  readonly #news = new Set<Entry>()
  /** One that goes on where it was: one that began anew would first pass over all that was taken out before. */
  #newsInOrder = this.#news.values()
  #subscribed = 0

  /** onNews: called when something is to be sent and nothing was before. */
  constructor(context: WatchContext, onNews: () => void) {
    this.#context = context
    this.#onNews = onNews
  }

  /** How many resources have something to send. */
  get newsCount(): number {
    return this.#news.size
  }

  entryChanged(entry: Entry): void {
    if (this.#news.has(entry)) {
      this.#context.counters.conflated.inc()
      return
    }
    this.#news.add(entry)
    if (this.#news.size === 1) this.#onNews()
  }

  apply(part: RequestPart): void {
    switch (part.kind) {
      case 'client':
        this.#context.log.debug({ client: part.id, version: part.version }, 'A client has opened a Watch stream.')
        return
      case 'unsubscribe':
        for (const key of part.keys) this.#unsubscribe(key)
        return
      case 'unsubscribe-replicas':
        this.#unsubscribeReplicas(part.id)
        return
      case 'subscribe-replicas':
        this.#subscribeReplicas(part)
        return
      case 'subscribe':
        this.#subscribe(part)
        return
    }
  }

  /** Appends the newest state of one resource to the shared builder, before it those that it needs; false when there is none. */
  writeNext(): boolean {
    const entry = this.#firstNews()
    if (entry === undefined) return false
    if (entry instanceof NameEntry) this.#writeName(entry)
    else this.#writeReplicas(entry)
    return true
  }

  #firstNews(): Entry | undefined {
    const { value } = this.#newsInOrder.next()
    if (value !== undefined) return value
    this.#newsInOrder = this.#news.values()
    return this.#newsInOrder.next().value
  }

  /** Gives up to `count` subscriptions back; true while there are more. */
  release(count: number): boolean {
    this.#news.clear()
    let left = count
    for (const key of this.#names.keys()) {
      if (left-- <= 0) return true
      this.#unsubscribe(key)
    }
    for (const entry of this.#replicas.values()) {
      if (left-- <= 0) return true
      this.#unsubscribeEntry(entry)
    }
    return false
  }

  #subscribe({ key, name, hash }: Subscribe): void {
    this.#unsubscribe(key)
    const entry = new NameEntry(this, key, hash)
    const request = this.#withinLimits(bindRequestFromName(name))
    if (!request.ok) {
      entry.deliver(failed(request.error))
      return
    }
    this.#names.set(key, entry)
    this.#count(1)
    entry.open(this.#context.interpreter.bind(request.value))
  }

  #unsubscribe(key: number): void {
    const entry = this.#names.get(key)
    if (entry === undefined) return
    this.#names.delete(key)
    this.#news.delete(entry)
    this.#count(-1)
    entry.close()
    if (entry.tree !== undefined) this.#releaseLeaves(entry.tree)
  }

  #subscribeReplicas({ id, hash }: SubscribeReplicas): void {
    const known = this.#replicas.get(showPath(id))
    if (known?.isSubscribed) return
    const checked = this.#withinLimits(checkPath(id))
    if (!checked.ok) {
      new ReplicaEntry(this, id, '').deliver(failed(checked.error))
      return
    }
    this.#count(1)
    if (known === undefined) this.#openReplicas(id, hash).isSubscribed = true
    else {
      known.isSubscribed = true
      // What was sent already may have crossed with the hash: it tells something only when it is of that.
      if (this.#hashSent(known) !== hash) known.restart(known.sent === undefined ? hash : '')
    }
  }

  #hashSent({ sent }: ReplicaEntry): WireHash | undefined {
    return sent?.kind === 'ok' ? hashOf(this.#context.replicaFrames.of(sent)) : undefined
  }

  #unsubscribeReplicas(id: Path): void {
    const entry = this.#replicas.get(showPath(id))
    if (entry !== undefined) this.#unsubscribeEntry(entry)
  }

  #unsubscribeEntry(entry: ReplicaEntry): void {
    if (entry.isSubscribed) this.#count(-1)
    entry.isSubscribed = false
    this.#dropUnused(entry)
  }

  #openReplicas(id: Path, hash: WireHash): ReplicaEntry {
    const entry = new ReplicaEntry(this, id, hash)
    this.#replicas.set(showPath(id), entry)
    entry.open(this.#context.interpreter.replicas(id))
    return entry
  }

  #dropUnused(entry: ReplicaEntry): void {
    if (entry.isSubscribed || entry.leaves > 0) return
    this.#replicas.delete(showPath(entry.id))
    this.#news.delete(entry)
    entry.close()
  }

  /** Make before break: what the new leaves need goes out before the tree, and the old ones are given up after it. */
  #writeName(entry: NameEntry): void {
    this.#news.delete(entry)
    if (!entry.hasNews) return
    const { state, tree: before } = entry
    const after = treeToFollow(state, before)
    if (after !== before && after !== undefined) this.#acquireLeaves(after)
    this.#write(entry.key, entry.take(this.#context.treeFrames.of(state)), state)
    entry.tree = after
    if (after !== before && before !== undefined) this.#releaseLeaves(before)
  }

  #writeReplicas(entry: ReplicaEntry): void {
    this.#news.delete(entry)
    if (!entry.hasNews) return
    const { state } = entry
    this.#write(encodeIdField(entry.id), entry.take(this.#context.replicaFrames.of(state)), state)
  }

  #write(resource: number | Uint8Array, content: Content, state: State<unknown>): void {
    const stale = state.kind === 'ok' && state.stale !== undefined ? encodeStale(state.stale) : undefined
    this.#context.builder.add(resource, content, stale)
    this.#context.counters.updates.inc()
  }

  #acquireLeaves(tree: BoundTree): void {
    eachLeaf(tree, ({ id }) => {
      const entry = this.#replicas.get(showPath(id)) ?? this.#openReplicas(id, '')
      entry.leaves++
      this.#writeReplicas(entry)
    })
  }

  #releaseLeaves(tree: BoundTree): void {
    eachLeaf(tree, ({ id }) => {
      const entry = this.#replicas.get(showPath(id))
      if (entry === undefined) return
      entry.leaves--
      this.#dropUnused(entry)
    })
  }

  #count(change: number): void {
    this.#subscribed += change
    this.#context.subscriptions += change
  }

  #withinLimits<T>(request: Result<T>): Result<T> {
    if (!request.ok) return request
    const { limits, subscriptions } = this.#context
    if (this.#subscribed >= limits.perStream) return failure(limitReached('stream', limits.perStream))
    if (subscriptions >= limits.perServer) return failure(limitReached('server', limits.perServer))
    return request
  }
}

function limitReached(who: string, limit: number): NamingError {
  return new NamingError('resource-exhausted', `This ${who} holds ${limit} subscriptions, which is its limit.`)
}

/** The tree whose leaves the stream goes on sending: while nothing better is known, the client keeps the old one. */
function treeToFollow(state: State<BoundTree>, before: BoundTree | undefined): BoundTree | undefined {
  if (state.kind === 'ok') return state.value
  return isFinal(state) ? undefined : before
}
