// How many subscriptions a stream, a client, a namespace and the whole server may hold; who is over it is told which and how
// many. Knows no stream.
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { grpcLimitDefaults } from '../grpc-limits.ts'

export interface SubscriptionLimitsOptions {
  readonly perStream: number
  readonly perClient: number
  readonly perNamespace: number
  readonly perServer: number
}

const { subscriptionsPerStream, perClient, perNamespace, perServer } = grpcLimitDefaults

export const subscriptionLimitDefaults: SubscriptionLimitsOptions = {
  perStream: subscriptionsPerStream,
  perClient,
  perNamespace,
  perServer,
}

/** Who subscribes. `client`: what the peer calls itself, else its address without the port. */
export interface Subscriber {
  readonly client: string
  /** Subscriptions that its stream holds. */
  held: number
}

/** Whose limit it is. */
export type LimitScope = 'stream' | 'client' | 'namespace' | 'server'

export class SubscriptionLimits {
  readonly #options: SubscriptionLimitsOptions
  readonly #clients = new Map<string, number>()
  readonly #namespaces = new Map<string, number>()
  readonly #refusals: Readonly<Record<LimitScope, { inc(): void }>>
  #total = 0

  constructor(options: SubscriptionLimitsOptions, metrics: Metrics) {
    this.#options = options
    this.#refusals = countRefusals(metrics)
    gaugeLimits(metrics, this)
  }

  /** Subscriptions of all streams. */
  get total(): number {
    return this.#total
  }

  /** Of each limit that is counted here, what whoever has most of it uses, and what it may. */
  *usage(): Iterable<readonly [scope: Exclude<LimitScope, 'stream'>, used: number, limit: number]> {
    const { perClient, perNamespace, perServer } = this.#options
    yield ['client', highest(this.#clients), perClient]
    yield ['namespace', highest(this.#namespaces), perNamespace]
    yield ['server', this.#total, perServer]
  }

  /** One more, given back with `give`; resource-exhausted names the limit. `namespace` is absent for a replica set. */
  take(subscriber: Subscriber, namespace?: string): Result<void> {
    const { perStream, perClient, perNamespace, perServer } = this.#options
    const { client } = subscriber
    if (subscriber.held >= perStream) return this.#refuse('stream', '', perStream)
    if ((this.#clients.get(client) ?? 0) >= perClient) return this.#refuse('client', ` (${client})`, perClient)
    if (namespace !== undefined && (this.#namespaces.get(namespace) ?? 0) >= perNamespace)
      return this.#refuse('namespace', ` (${namespace})`, perNamespace)
    if (this.#total >= perServer) return this.#refuse('server', '', perServer)
    this.#change(subscriber, namespace, 1)
    return success(undefined)
  }

  give(subscriber: Subscriber, namespace?: string): void {
    this.#change(subscriber, namespace, -1)
  }

  #refuse(scope: LimitScope, who: string, limit: number): Result<void> {
    this.#refusals[scope].inc()
    const details = `This ${scope}${who} holds ${limit} subscriptions, which is its limit.`
    return failure(new NamingError('resource-exhausted', details))
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

function highest(counts: ReadonlyMap<string, number>): number {
  let most = 0
  for (const count of counts.values()) most = Math.max(most, count)
  return most
}

function countRefusals(metrics: Metrics): Readonly<Record<LimitScope, { inc(): void }>> {
  const counter = metrics.counter({
    name: 'nameplane_subscriptions_refused_total',
    help: 'Subscriptions that were refused because a limit was reached, by whose it is.',
    labels: ['scope'],
  })
  const of = (scope: LimitScope): { inc(): void } => counter.labels({ scope })
  return { stream: of('stream'), client: of('client'), namespace: of('namespace'), server: of('server') }
}

function gaugeLimits(metrics: Metrics, limits: SubscriptionLimits): void {
  metrics.gauge({
    name: 'nameplane_subscriptions',
    help: 'Subscriptions of push streams: of the client and the namespace that hold most, and of the server.',
    labels: ['scope'],
    collectEach: () => [...limits.usage()].map(([scope, used]) => [{ scope }, used]),
  })
  metrics.gauge({
    name: 'nameplane_subscriptions_limit',
    help: 'How many of these there may be.',
    labels: ['scope'],
    collectEach: () => [...limits.usage()].map(([scope, , limit]) => [{ scope }, limit]),
  })
  metrics.gauge({
    name: 'nameplane_subscriptions_share',
    help: 'Share, 0 to 1, of the limit that is used; where threads have parts of it, in the one that has used most of its part.',
    labels: ['scope'],
    across: 'max',
    collectEach: () => [...limits.usage()].map(([scope, used, limit]) => [{ scope }, used / limit]),
  })
}
