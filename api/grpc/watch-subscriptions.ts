// The subscriptions of one Watch stream, and which of them have something to send. A slow stream costs a place in a set
// per name, whatever the number of changes. Knows nothing of streams and back-pressure.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { Result } from '../../naming/result.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { type Content, encodeIdField, encodeStale, hashOf, type WireHash } from '../../proto/updates.ts'
import type { RequestPart } from '../../proto/watch-requests.ts'
import { failed, type State } from '../../watch/state.ts'
import type { Mailbox } from '../push/mailbox.ts'
import type { ProxyRecord } from '../push/proxy-registry.ts'
import type { Subscriber } from '../push/subscription-limits.ts'
import type { WatchContext } from './watch-context.ts'
import { isFinal, NameEntry, ReplicaEntry } from './watch-entries.ts'
import { bindRequestFromName, checkPath } from './wire-names.ts'

type Subscribe = Extract<RequestPart, { kind: 'subscribe' }>
type SubscribeReplicas = Extract<RequestPart, { kind: 'subscribe-replicas' }>

export interface SubscriptionsOptions {
  readonly proxy: ProxyRecord
  /** Who is counted for what is subscribed. */
  readonly client: string
  readonly onMail: () => void
}

export class WatchSubscriptions {
  readonly mailbox: Mailbox
  readonly #context: WatchContext
  readonly #proxy: ProxyRecord
  readonly #subscriber: Subscriber
  readonly #names = new Map<number, NameEntry>()
  readonly #replicas = new Map<string, ReplicaEntry>()

  /** onMail: called when something can be sent and nothing could before. */
  constructor(context: WatchContext, { proxy, client, onMail }: SubscriptionsOptions) {
    this.#context = context
    this.#proxy = proxy
    this.#subscriber = { client, held: 0 }
    this.mailbox = context.push.mailbox(onMail)
  }

  apply(part: RequestPart): void {
    switch (part.kind) {
      case 'client':
        this.#proxy.identify(part.id, part.version)
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
    const entry = this.mailbox.next()
    if (entry instanceof NameEntry) this.#writeName(entry)
    else if (entry instanceof ReplicaEntry) this.#writeReplicas(entry)
    return entry !== undefined
  }

  /** Gives up to `count` subscriptions back; true while there are more. */
  release(count: number): boolean {
    this.mailbox.clear()
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
    const { namespace } = name
    const entry = new NameEntry(this.mailbox, { key, namespace, held: hash })
    const request = this.#taking(bindRequestFromName(name), namespace)
    if (!request.ok) {
      entry.deliver(failed(request.error))
      return
    }
    this.#names.set(key, entry)
    this.#proxy.namespace(namespace).addNames(1)
    entry.open(this.#context.ports.interpreter.bind(request.value))
  }

  #unsubscribe(key: number): void {
    const entry = this.#names.get(key)
    if (entry === undefined) return
    this.#names.delete(key)
    this.#proxy.namespace(entry.namespace).addNames(-1)
    this.#give(entry.namespace)
    entry.close()
    if (entry.tree !== undefined) this.#releaseLeaves(entry.tree)
  }

  #subscribeReplicas({ id, hash }: SubscribeReplicas): void {
    const known = this.#replicas.get(showPath(id))
    if (known?.isSubscribed) return
    const checked = this.#taking(checkPath(id))
    if (!checked.ok) {
      new ReplicaEntry(this.mailbox, id, '').deliver(failed(checked.error))
      return
    }
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
    if (entry.isSubscribed) this.#give()
    entry.isSubscribed = false
    this.#dropUnused(entry)
  }

  #openReplicas(id: Path, hash: WireHash): ReplicaEntry {
    const entry = new ReplicaEntry(this.mailbox, id, hash)
    this.#replicas.set(showPath(id), entry)
    entry.open(this.#context.ports.interpreter.replicas(id))
    return entry
  }

  #dropUnused(entry: ReplicaEntry): void {
    if (entry.isSubscribed || entry.leaves > 0) return
    this.#replicas.delete(showPath(entry.id))
    entry.close()
  }

  /** Make before break: what the new leaves need goes out before the tree, and the old ones are given up after it. */
  #writeName(entry: NameEntry): void {
    this.mailbox.delete(entry)
    if (!entry.hasNews) return
    const { state, tree: before } = entry
    const after = treeToFollow(state, before)
    if (after !== before && after !== undefined) this.#acquireLeaves(after)
    this.#write(entry.key, entry.take(this.#context.treeFrames.of(state), this.#now), state)
    entry.tree = after
    if (after !== before && before !== undefined) this.#releaseLeaves(before)
  }

  #writeReplicas(entry: ReplicaEntry): void {
    this.mailbox.delete(entry)
    if (!entry.hasNews) return
    const { state } = entry
    this.#write(encodeIdField(entry.id), entry.take(this.#context.replicaFrames.of(state), this.#now), state)
  }

  #write(resource: number | Uint8Array, content: Content, state: State<unknown>): void {
    const stale = state.kind === 'ok' && state.stale !== undefined ? encodeStale(state.stale) : undefined
    this.#context.builder.add(resource, content, stale)
    this.#context.push.counters.updates.inc()
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

  get #now(): number {
    return this.#context.push.clock.monotonic()
  }

  /** Counts one more subscription, when what is asked for may be and the limits allow it. */
  #taking<T>(request: Result<T>, namespace?: string): Result<T> {
    if (!request.ok) return request
    const taken = this.#context.push.limits.take(this.#subscriber, namespace)
    if (!taken.ok) return taken
    this.#context.subscriptions++
    return request
  }

  #give(namespace?: string): void {
    this.#context.subscriptions--
    this.#context.push.limits.give(this.#subscriber, namespace)
  }
}

/** The tree whose leaves the stream goes on sending: while nothing better is known, the client keeps the old one. */
function treeToFollow(state: State<BoundTree>, before: BoundTree | undefined): BoundTree | undefined {
  if (state.kind === 'ok') return state.value
  return isFinal(state) ? undefined : before
}
