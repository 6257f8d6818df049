// What the server of one stream has still to be told, as sets: a subscription that ends before it was sent is never sent.
// Knows no stream.
import { type RequestPart, WatchRequestWriter, type WireResource } from '../../proto/watch-requests.ts'
import type { HeldName } from './held-name.ts'
import type { ToldUpdate } from './held-state.ts'
import type { HeldReplicas } from './replica-store.ts'

/** A message is closed when it has so many bytes; the server accepts 4 MB. */
const messageBytes = 65_536

export type Refusal = Extract<RequestPart, { kind: 'refused' }>
export type Ack = Extract<RequestPart, { kind: 'ack' }>

/** One message, and for whoever counts what is in it. */
export interface Outgoing {
  readonly bytes: Uint8Array
  /** Whether it says nothing but that messages have come. */
  readonly isAckAlone: boolean
}

export interface RequestOutboxOptions {
  readonly client: { readonly id: string; readonly version: string }
  /** The server has been told otherwise of it than before. */
  readonly onTold: (held: HeldName | HeldReplicas) => void
}

/** A subscription, or what is followed as a leaf. */
export interface HeldContent {
  readonly resource: WireResource
  readonly told: ToldUpdate
}

export class RequestOutbox {
  readonly #options: RequestOutboxOptions
  readonly #writer = new WatchRequestWriter()
  #sequence = 0
  #isIntroduced = false
  readonly #subscribe = new Set<HeldName>()
  readonly #unsubscribe = new Set<HeldName>()
  /** Whose subscription the server may not know as it is now. */
  readonly #replicas = new Set<HeldReplicas>()
  readonly #refusals: Refusal[] = []
  /** What is left of the answer to what is held. */
  #held: Iterator<HeldContent> | undefined

  constructor(options: RequestOutboxOptions) {
    this.#options = options
  }

  subscribe(name: HeldName): void {
    this.#subscribe.add(name)
  }

  unsubscribe(name: HeldName): void {
    this.#subscribe.delete(name)
    if (name.isSubscribed) this.#unsubscribe.add(name)
  }

  /** The set may have begun or ceased to be wanted by itself. */
  replicasChanged(replicas: HeldReplicas): void {
    this.#replicas.add(replicas)
  }

  /** The server has said nothing: it may not even know who this is. What else it lacks it sees by the number of the message. */
  introduceAgain(): void {
    this.#isIntroduced = false
  }

  refuse(refusal: Refusal): void {
    this.#refusals.push(refusal)
  }

  /** The server is told all of it, in as many messages as it takes; a question that comes meanwhile begins anew. */
  tellHeld(contents: Iterable<HeldContent>): void {
    this.#held = contents[Symbol.iterator]()
  }

  /**
   * The next message; undefined when there is nothing to tell. `ack`, absent when none is due, is asked once what it counts
   * no more stands before it: ends of subscriptions, and refusals.
   */
  take(ack: (() => Ack) | undefined): Outgoing | undefined {
    const writer = this.#writer
    if (!this.#isIntroduced) writer.add({ kind: 'client', ...this.#options.client })
    this.#isIntroduced = true
    this.#addUnsubscribes()
    this.#addReplicas()
    this.#addNames()
    for (const refusal of this.#refusals.splice(0)) writer.add(refusal)
    const isMore = writer.length > 0
    if (ack !== undefined) writer.add(ack())
    const ackedLength = writer.length
    this.#addHeld()
    if (writer.length === 0) return undefined
    const isAckAlone = !isMore && writer.length === ackedLength
    return { bytes: writer.finish(++this.#sequence), isAckAlone }
  }

  #addUnsubscribes(): void {
    if (this.#unsubscribe.size === 0) return
    this.#writer.add({ kind: 'unsubscribe', keys: Array.from(this.#unsubscribe, ({ key }) => key) })
    for (const name of this.#unsubscribe) {
      name.isSubscribed = false
      this.#options.onTold(name)
    }
    this.#unsubscribe.clear()
  }

  #addReplicas(): void {
    for (const replicas of this.#replicas) {
      if (this.#isFull) return
      this.#replicas.delete(replicas)
      const { id, hash, isWanted, isSubscribed } = replicas
      if (isWanted === isSubscribed) continue
      this.#writer.add(isWanted ? { kind: 'subscribe-replicas', id, hash } : { kind: 'unsubscribe-replicas', id })
      replicas.isSubscribed = isWanted
      this.#options.onTold(replicas)
    }
  }

  #addNames(): void {
    for (const held of this.#subscribe) {
      if (this.#isFull) return
      this.#subscribe.delete(held)
      const { key, name, hash } = held
      this.#writer.add({ kind: 'subscribe', key, name, hash })
      held.isSubscribed = true
      this.#options.onTold(held)
    }
  }

  #addHeld(): void {
    while (this.#held !== undefined && !this.#isFull) {
      const { value, done } = this.#held.next()
      if (done) {
        this.#writer.add({ kind: 'held-is-whole' })
        this.#held = undefined
        return
      }
      const { resource, told } = value
      this.#writer.add({ kind: 'held', resource, hash: told.hash, isStale: told.isStale })
    }
  }

  get #isFull(): boolean {
    return this.#writer.length >= messageBytes
  }
}
