// How many subscriptions a stream, a client, a namespace and the whole server may hold; who is over it is told which and how
// many. Knows no stream.
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'

export interface SubscriptionLimitsOptions {
  readonly perStream: number
  readonly perClient: number
  readonly perNamespace: number
  readonly perServer: number
}

/** Who subscribes. `client`: what the peer calls itself, else its address without the port. */
export interface Subscriber {
  readonly client: string
  /** Subscriptions that its stream holds. */
  held: number
}

export class SubscriptionLimits {
  readonly #options: SubscriptionLimitsOptions
  readonly #clients = new Map<string, number>()
  readonly #namespaces = new Map<string, number>()
  #total = 0

  constructor(options: SubscriptionLimitsOptions) {
    this.#options = options
  }

  /** Subscriptions of all streams. */
  get total(): number {
    return this.#total
  }

  /** One more, given back with `give`; resource-exhausted names the limit. `namespace` is absent for a replica set. */
  take(subscriber: Subscriber, namespace?: string): Result<void> {
    const { perStream, perClient, perNamespace, perServer } = this.#options
    const { client } = subscriber
    if (subscriber.held >= perStream) return failure(limitReached('stream', perStream))
    if ((this.#clients.get(client) ?? 0) >= perClient) return failure(limitReached(`client (${client})`, perClient))
    if (namespace !== undefined && (this.#namespaces.get(namespace) ?? 0) >= perNamespace)
      return failure(limitReached(`namespace (${namespace})`, perNamespace))
    if (this.#total >= perServer) return failure(limitReached('server', perServer))
    this.#change(subscriber, namespace, 1)
    return success(undefined)
  }

  give(subscriber: Subscriber, namespace?: string): void {
    this.#change(subscriber, namespace, -1)
  }

  #change(subscriber: Subscriber, namespace: string | undefined, change: number): void {
    subscriber.held += change
    this.#total += change
    add(this.#clients, subscriber.client, change)
    if (namespace !== undefined) add(this.#namespaces, namespace, change)
  }
}

function add(counts: Map<string, number>, key: string, change: number): void {
  const count = (counts.get(key) ?? 0) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}

function limitReached(who: string, limit: number): NamingError {
  return new NamingError('resource-exhausted', `This ${who} holds ${limit} subscriptions, which is its limit.`)
}
