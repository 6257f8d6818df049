// A Consul agent without a network: it answers followed queries from a catalogue that the test rules, at the clock's next turn.
import type { ConsulAgent, ConsulFollower, ConsulLoad, ConsulQuery, ConsulSelf } from '../../../clients/consul/agent.ts'
import type { Clock } from '../../../watch/clock.ts'
import {
  FakeCatalog,
  type FakeInstance,
  showCatalogService,
  showHealthService,
} from '../../fakes/consul-catalog.fake.ts'

interface Follow {
  readonly query: ConsulQuery
  readonly follower: ConsulFollower
  told: string | undefined
}

export class ScriptedAgent implements ConsulAgent {
  readonly catalog = new FakeCatalog()
  known: readonly string[] = ['dc1', 'dc2']
  own: ConsulSelf = { datacenter: 'dc1', domain: 'consul' }
  /** Why questions fail now; those that it is undefined for are answered. */
  failure: (query: ConsulQuery) => Error | undefined = () => undefined
  selfFailure: Error | undefined
  datacentersFailure: Error | undefined
  /** Replaces the usual answer of a query. */
  body: (query: ConsulQuery, usual: unknown) => unknown = (_query, usual) => usual
  /** Whether the agent says of its answers that the token may not see all. */
  isFiltered = false
  /** How often a query was begun, by path. */
  readonly begun: string[] = []
  readonly counts = { begun: 0, requests: 0, selfAsked: 0, datacentersAsked: 0, mostFollowed: 0 }
  isClosed = false
  readonly #clock: Clock
  readonly #follows = new Set<Follow>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get paths(): readonly string[] {
    return [...this.#follows].map(({ query }) => query.path).sort()
  }

  get queries(): readonly ConsulQuery[] {
    return [...this.#follows].map(({ query }) => query)
  }

  follow(query: ConsulQuery, follower: ConsulFollower): () => void {
    const follow: Follow = { query, follower, told: undefined }
    this.#follows.add(follow)
    this.counts.begun++
    this.counts.mostFollowed = Math.max(this.counts.mostFollowed, this.#follows.size)
    this.#clock.defer(() => this.#tell(follow))
    return () => this.#follows.delete(follow)
  }

  async self(): Promise<ConsulSelf> {
    this.counts.selfAsked++
    if (this.selfFailure !== undefined) throw this.selfFailure
    return this.own
  }

  async datacenters(): Promise<readonly string[]> {
    this.counts.datacentersAsked++
    if (this.datacentersFailure !== undefined) throw this.datacentersFailure
    return this.known
  }

  load(): ConsulLoad {
    const { requests } = this.counts
    return { followed: this.#follows.size, isReachable: true, inUse: 0, waiting: 0, limit: 180, requests }
  }

  close(): void {
    this.isClosed = true
    this.#follows.clear()
  }

  register(...instances: readonly FakeInstance[]): void {
    for (const instance of instances) this.catalog.register(instance)
    this.answer()
  }

  deregister(...instances: readonly FakeInstance[]): void {
    for (const instance of instances) this.catalog.deregister(instance)
    this.answer()
  }

  /** Every followed query is answered now, or fails. */
  answer(): void {
    for (const follow of [...this.#follows]) this.#tell(follow)
  }

  #tell(follow: Follow): void {
    if (!this.#follows.has(follow)) return
    this.counts.requests++
    const { query, follower } = follow
    const failure = this.failure(query)
    if (failure !== undefined) {
      follow.told = undefined
      follower.failed(failure, this.#clock.now() + 1_000)
      return
    }
    const body = this.body(query, this.#bodyOf(query))
    const text = JSON.stringify(body)
    const version = String(this.catalog.index)
    if (text === follow.told) {
      follower.same(version)
      return
    }
    follow.told = text
    try {
      const receivedAt = this.#clock.monotonic()
      const taken = follower.changed({ body, version, isFiltered: this.isFiltered, receivedAt })
      if (taken instanceof Promise) throw new TypeError('this agent tells only those who take an answer in at once')
    } catch (error) {
      follow.told = undefined
      if (!(error instanceof Error)) throw error
      follower.failed(error, this.#clock.now() + 1_000)
    }
  }

  #bodyOf({ path, parameters }: ConsulQuery): unknown {
    const { dc = 'dc1' } = parameters
    const [, part, service = ''] = /^\/(catalog|health)\/service\/(.+)$/.exec(path) ?? []
    if (part === undefined) return servicesOf(this.catalog.all(dc))
    const found = this.catalog.instances(decodeURIComponent(service), dc)
    return found.map(part === 'health' ? showHealthService : showCatalogService)
  }
}

function servicesOf(instances: readonly FakeInstance[]): Readonly<Record<string, readonly string[]>> {
  const tags = new Map<string, Set<string>>()
  for (const instance of instances) {
    const known = tags.get(instance.service) ?? new Set()
    for (const tag of instance.tags ?? []) known.add(tag)
    tags.set(instance.service, known)
  }
  return Object.fromEntries([...tags].map(([name, known]) => [name, [...known]]))
}
