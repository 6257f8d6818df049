// What the server has still to be told, as sets: a subscription that ends before it was sent is never sent. Knows no stream.
import { WatchRequestWriter } from '../../proto/watch-requests.ts'
import type { HeldName } from './held-name.ts'
import type { HeldReplicas } from './replica-store.ts'

/** A message is closed when it has so many bytes; the server accepts 4 MB. */
const messageBytes = 65_536

export class RequestOutbox {
  readonly #client: { readonly id: string; readonly version: string }
  readonly #writer = new WatchRequestWriter()
  #isIntroduced = false
  readonly #subscribe = new Set<HeldName>()
  readonly #unsubscribe = new Set<number>()
  /** Whose subscription the server may not know as it is now. */
  readonly #replicas = new Set<HeldReplicas>()

  constructor(client: { readonly id: string; readonly version: string }) {
    this.#client = client
  }

  subscribe(name: HeldName): void {
    this.#subscribe.add(name)
  }

  unsubscribe(name: HeldName): void {
    if (!this.#subscribe.delete(name)) this.#unsubscribe.add(name.key)
  }

  /** The set may have begun or ceased to be wanted by itself. */
  replicasChanged(replicas: HeldReplicas): void {
    this.#replicas.add(replicas)
  }

  /** A new stream, whose server knows nothing yet. */
  restart(names: Iterable<HeldName>, replicas: Iterable<HeldReplicas>): void {
    this.#isIntroduced = false
    this.#unsubscribe.clear()
    this.#replicas.clear()
    for (const held of replicas) this.#replicas.add(held)
    for (const name of names) this.#subscribe.add(name)
  }

  /** The next message; undefined when there is nothing to tell. */
  take(): Uint8Array | undefined {
    const writer = this.#writer
    if (!this.#isIntroduced) writer.add({ kind: 'client', ...this.#client })
    this.#isIntroduced = true
    if (this.#unsubscribe.size > 0) writer.add({ kind: 'unsubscribe', keys: [...this.#unsubscribe] })
    this.#unsubscribe.clear()
    this.#addReplicas(writer)
    this.#addNames(writer)
    return writer.length === 0 ? undefined : writer.finish()
  }

  #addReplicas(writer: WatchRequestWriter): void {
    for (const replicas of this.#replicas) {
      if (writer.length >= messageBytes) return
      this.#replicas.delete(replicas)
      const { id, hash, isWanted, isSubscribed } = replicas
      if (isWanted && !isSubscribed) writer.add({ kind: 'subscribe-replicas', id, hash })
      else if (!isWanted && isSubscribed) writer.add({ kind: 'unsubscribe-replicas', id })
      replicas.isSubscribed = isWanted
    }
  }

  #addNames(writer: WatchRequestWriter): void {
    for (const held of this.#subscribe) {
      if (writer.length >= messageBytes) return
      this.#subscribe.delete(held)
      writer.add({ kind: 'subscribe', key: held.key, name: held.name, hash: held.hash })
    }
  }
}
