// The subscriptions of one Watch stream and the replica sets that its trees lead to: who is there, and from when to when.
// Knows nothing of messages and back-pressure.
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { NamingError } from '../../naming/errors.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { Result } from '../../naming/result.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { resourceMark } from '../../proto/content-digest.ts'
import { hashOf, type WireHash } from '../../proto/updates.ts'
import type { RequestPart, WireResource } from '../../proto/watch-requests.ts'
import { failed } from '../../watch/state.ts'
import type { Mailbox } from '../push/mailbox.ts'
import type { ProxyRecord } from '../push/proxy-registry.ts'
import type { Subscriber } from '../push/subscription-limits.ts'
import { NamespaceUses } from './namespace-uses.ts'
import type { SentMessages } from './sent-messages.ts'
import type { WatchContext } from './watch-context.ts'
import { NameEntry, ReplicaEntry, type WatchEntry } from './watch-entries.ts'
import { bindRequestFromName, checkPath } from './wire-names.ts'

type Subscribe = Extract<RequestPart, { kind: 'subscribe' }>
type SubscribeReplicas = Extract<RequestPart, { kind: 'subscribe-replicas' }>

/** Subscriptions of one stream that may be refused and not given up: they are remembered, for they are in the digest. */
const maxRefused = 100_000

export interface SubscriptionsOptions {
  readonly proxy: ProxyRecord
  /** Who is counted for what is subscribed. */
  readonly client: string
  readonly sent: SentMessages
  readonly mailbox: Mailbox
  /** The client goes on subscribing to what it cannot have. */
  readonly onOverrun: (details: string) => void
}

export class WatchSubscriptions {
  readonly names = new Map<number, NameEntry>()
  readonly replicas = new Map<string, ReplicaEntry>()
  /** Trees whose leaves are held before they are sent themselves. */
  readonly ahead = new Map<NameEntry, BoundTree>()
  readonly #context: WatchContext
  readonly #options: SubscriptionsOptions
  readonly #subscriber: Subscriber
  readonly #uses: NamespaceUses
  #refused = 0

  constructor(context: WatchContext, options: SubscriptionsOptions) {
    this.#context = context
    this.#options = options
    this.#subscriber = { client: options.client, held: 0 }
    this.#uses = new NamespaceUses(options.proxy)
  }

  /** Names of which the client goes on with an old tree, since the newest is not known. */
  get waiting(): number {
    return this.#uses.waiting
  }

  /** The entry of a resource. */
  at(resource: WireResource): WatchEntry | undefined {
    return typeof resource === 'number' ? this.names.get(resource) : this.replicas.get(showPath(resource))
  }

  /** Whether the entry is still that of its resource. */
  holds(entry: NameEntry | ReplicaEntry): boolean {
    return this.at(entry instanceof NameEntry ? entry.key : entry.id) === entry
  }

  subscribe({ key, name, hash }: Subscribe): void {
    this.unsubscribe(key)
    const request = this.#taking(bindRequestFromName(name), name.namespace)
    const { mailbox } = this.#options
    if (!request.ok) {
      const refused = new NameEntry(mailbox, { key, held: hash })
      this.names.set(key, refused)
      this.#refuse(refused, request.error)
      return
    }
    const use = this.#uses.at(name.namespace)
    const entry = new NameEntry(mailbox, { key, use, held: hash })
    this.names.set(key, entry)
    use.addNames(1)
    entry.open(this.#context.ports.interpreter.bind(request.value))
  }

  unsubscribe(key: number): void {
    const entry = this.names.get(key)
    if (entry === undefined) return
    this.names.delete(key)
    this.#options.sent.givenUp(key, entry.mark, entry.sentAt)
    entry.close()
    if (entry.use === undefined) this.#refused--
    else {
      this.#give(entry.use.namespace)
      entry.use.addNames(-1)
    }
    const ahead = this.ahead.get(entry)
    this.ahead.delete(entry)
    for (const tree of [entry.tree, ahead]) if (tree !== undefined) this.releaseLeaves(tree, true)
  }

  subscribeReplicas({ id, hash }: SubscribeReplicas): void {
    const known = this.replicas.get(showPath(id))
    if (known !== undefined && known.subscription !== 'none') return
    const checked = this.#taking(checkPath(id))
    if (checked.ok) this.#subscribeTaken(known, id, hash)
    // One that is a leaf is sent anyway.
    else if (known === undefined) {
      const refused = new ReplicaEntry(this.#options.mailbox, id, '')
      refused.subscription = 'refused'
      this.replicas.set(showPath(id), refused)
      this.#refuse(refused, checked.error)
    }
  }

  unsubscribeReplicas(id: Path): void {
    const entry = this.replicas.get(showPath(id))
    if (entry !== undefined) this.endSubscription(entry)
  }

  /** The set is wanted by itself no more; `byClient` as below. */
  endSubscription(entry: ReplicaEntry, byClient = true): void {
    if (entry.subscription === 'taken') this.#give()
    else if (entry.subscription === 'refused') this.#refused--
    entry.subscription = 'none'
    this.#dropUnused(entry, byClient)
  }

  /** Each leaf of the tree is sent from now on, once for each time that this was called and not undone. */
  acquireLeaves(tree: BoundTree): void {
    eachLeaf(tree, ({ id }) => {
      const known = this.replicas.get(showPath(id))
      const isOpen = known !== undefined && known.subscription !== 'refused'
      if (known?.subscription === 'refused') this.endSubscription(known, false)
      const entry = isOpen ? known : this.#open(id, '')
      entry.leaves++
    })
  }

  /** `byClient`: it has given up the name; otherwise the message in the making takes the tree's place. */
  releaseLeaves(tree: BoundTree, byClient: boolean): void {
    eachLeaf(tree, ({ id }) => {
      const entry = this.replicas.get(showPath(id))
      if (entry === undefined) return
      entry.leaves--
      this.#dropUnused(entry, byClient)
    })
  }

  /** Gives up to `count` subscriptions back; true while there are more. */
  release(count: number): boolean {
    let left = count
    for (const key of this.names.keys()) {
      if (left-- <= 0) return true
      this.unsubscribe(key)
    }
    for (const entry of this.replicas.values()) {
      if (left-- <= 0) return true
      this.endSubscription(entry)
    }
    return false
  }

  #subscribeTaken(known: ReplicaEntry | undefined, id: Path, hash: WireHash): void {
    if (known === undefined) {
      this.#open(id, hash).subscription = 'taken'
      return
    }
    known.subscription = 'taken'
    // What was sent already may have crossed with the hash: it tells something only when it is of that.
    if (this.#hashSent(known) !== hash) known.restart(known.sent === undefined ? hash : '')
  }

  #hashSent({ sent }: ReplicaEntry): WireHash | undefined {
    return sent?.kind === 'ok' ? hashOf(this.#context.replicaFrames.of(sent)) : undefined
  }

  #open(id: Path, hash: WireHash): ReplicaEntry {
    const entry = new ReplicaEntry(this.#options.mailbox, id, hash)
    this.replicas.set(showPath(id), entry)
    entry.open(this.#context.ports.interpreter.replicas(id))
    return entry
  }

  #dropUnused(entry: ReplicaEntry, byClient: boolean): void {
    if (entry.subscription !== 'none' || entry.leaves > 0) return
    const { id, mark, sentAt } = entry
    const { sent } = this.#options
    this.replicas.delete(showPath(id))
    if (byClient) sent.givenUp(resourceMark(id), mark, sentAt)
    else sent.dropped(resourceMark(id), mark)
    entry.close()
  }

  /** What cannot be had is answered with the reason, and stays until it is given up. */
  #refuse(entry: WatchEntry, error: NamingError): void {
    entry.deliver(failed(error))
    if (++this.#refused <= maxRefused) return
    this.#options.onOverrun(
      `This stream has ${maxRefused} subscriptions that were refused, the last of them: ${error.message}`,
    )
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
