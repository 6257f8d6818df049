// The namer over Consul: paths to names, names to cells. One question per service, one cell per name, whoever watches.
import type { ConsulAgent, ConsulQuery } from '../../clients/consul/agent.ts'
import { leaf, type NameTree, neg } from '../../naming/name-tree.ts'
import { type Path, showPath } from '../../naming/path.ts'
import { noSuchReplicas, type ReplicaSet } from '../../naming/replica-set.ts'
import type { Env } from '../../runtime/env.ts'
import type { HostCells } from '../../runtime/hosts/host-cells.ts'
import type { Cell, Pool, Read } from '../../watch/cell.ts'
import { ok, pendingOn, type State } from '../../watch/state.ts'
import { createDiscovery, type Discovery, type FoundSink, readExistence } from '../discovery.ts'
import type { Namer, NamerGuard, NamerLeaf } from '../namer.ts'
import { AbsentNames } from './absent-names.ts'
import { type AgentFacts, createAgentFacts } from './agent-facts.ts'
import type { ConsulConfig } from './consul-config.ts'
import { type ConsulMetrics, createConsulMetrics } from './consul-metrics.ts'
import { type ConsulName, consulNameOf, localDatacenter, nameLength, showConsulName } from './consul-name.ts'
import { createFoundRule, type FoundRule } from './found-rule.ts'
import { observeListedNames } from './listed-names.ts'
import { NameFollower } from './name-follower.ts'
import { ServiceLists } from './service-list.ts'
import { ServiceQueries } from './service-query.ts'
import { Slots } from './slots.ts'

/** What the namer works with; it closes both. */
export interface ConsulNamerParts {
  readonly agent: ConsulAgent
  readonly hosts: Pick<HostCells, 'live'> & { close(): void }
}

/** How long a name stays followed after its last watcher left, in milliseconds. */
export const lingerMs = 5_000

/** Asks nothing before somebody watches. The caller closes it. */
export function createConsulNamer(config: ConsulConfig, parts: ConsulNamerParts, env: Env): Namer {
  return new ConsulNamer(config, parts, env)
}

class ConsulNamer implements Namer {
  readonly prefix: Path
  readonly guard?: NamerGuard
  readonly #config: ConsulConfig
  readonly #parts: ConsulNamerParts
  readonly #env: Env
  readonly #facts: AgentFacts
  readonly #lists: ServiceLists
  readonly #queries: ServiceQueries
  readonly #discovery: Discovery
  readonly #rule: FoundRule
  readonly #metrics: ConsulMetrics
  readonly #found: Pool<ConsulName, ReplicaSet>
  readonly #replicas: Pool<Path, ReplicaSet>
  readonly #noReplicas: Cell<ReplicaSet>
  readonly #names: Cell<readonly Path[]>

  constructor(config: ConsulConfig, parts: ConsulNamerParts, env: Env) {
    const { prefix, includeTag } = config
    const { agent } = parts
    const { kernel } = env
    const group = showPath(prefix)
    const places = new Slots(config.maxNames)
    this.prefix = prefix
    this.#config = config
    this.#parts = parts
    this.#env = env
    this.#rule = createFoundRule(config)
    this.#facts = createAgentFacts({ agent, where: `${config.host}:${config.port}`, group }, env)
    this.#metrics = createConsulMetrics(env.metrics, showPath(prefix.slice(1)).slice(1), () => ({
      load: agent.load(),
      refused: places.waiting,
      parked: this.#queries.countParked(),
    }))
    this.#lists = new ServiceLists(agent, datacenter => ({ path: '/catalog/services', parameters: { dc: datacenter } }))
    this.#queries = this.#createQueries(places)
    this.#discovery = createDiscovery({ kind: 'consul', prefix, rule: config, lingerMs }, env)
    if (this.#discovery.guard !== undefined) this.guard = this.#discovery.guard
    this.#found = kernel.pool(
      name => this.#discovery.follow(showConsulName(name), sink => this.#follow(name, sink)),
      showConsulName,
    )
    this.#replicas = kernel.pool(id => this.#observeReplicas(id), showPath)
    this.#noReplicas = kernel.derive('replicas of no name of Consul', () => ok(noSuchReplicas))
    const { self } = this.#facts
    this.#names = observeListedNames({ kernel, prefix, group, hasTag: includeTag, lists: this.#lists, self })
  }

  lookup(rest: Path, read: Read): State<NameTree<NamerLeaf>> {
    const { includeTag } = this.#config
    const name = consulNameOf(rest, includeTag)
    if (name === undefined) return ok(neg)
    const found = this.#read(name, read, cell => readExistence(cell, read))
    if (found.kind === 'pending') return pendingOn(`consul ${showConsulName(name)}`)
    if (found.kind === 'failed') return found
    if (found.value.kind === 'neg') return ok(neg)
    const length = nameLength(includeTag)
    return ok(leaf({ kind: 'bound', id: [...this.prefix, ...rest.slice(0, length)], residual: rest.slice(length) }))
  }

  replicas(id: Path): Cell<ReplicaSet> {
    const name = consulNameOf(id.slice(this.prefix.length), this.#config.includeTag)
    if (name === undefined) return this.#noReplicas
    return name.datacenter === localDatacenter ? this.#replicas.at(id) : this.#found.at(name)
  }

  names(): Cell<readonly Path[]> {
    return this.#names
  }

  close(): void {
    this.#discovery.close()
    this.#queries.close()
    this.#lists.close()
    this.#metrics.close()
    this.#parts.hosts.close()
    this.#parts.agent.close()
  }

  #createQueries(places: Slots): ServiceQueries {
    const { maxNames, useHealthCheck, includeTag, weights, transferMetadata } = this.#config
    const { clock } = this.#env
    return new ServiceQueries({
      places,
      maxNames,
      clock,
      agent: this.#parts.agent,
      datacenters: this.#facts.datacenters,
      absent: new AbsentNames(this.#lists, clock),
      needs: { health: useHealthCheck, tags: includeTag || weights.length > 0, metadata: transferMetadata },
      metrics: this.#metrics,
      queryOf: (datacenter, service) => this.#queryOf(datacenter, service),
    })
  }

  #observeReplicas(id: Path): Cell<ReplicaSet> {
    return this.#env.kernel.derive(`consul replicas ${showPath(id)}`, read => {
      const name = consulNameOf(id.slice(this.prefix.length), this.#config.includeTag)
      return name === undefined ? ok(noSuchReplicas) : this.#read(name, read, cell => read(cell))
    })
  }

  /** Reads a name's cell once its datacenter is known. */
  #read(name: ConsulName, read: Read, readCell: (cell: Cell<ReplicaSet>) => State<ReplicaSet>): State<ReplicaSet> {
    if (name.datacenter !== localDatacenter) return readCell(this.#found.at(name))
    const self = read(this.#facts.self)
    if (self.kind !== 'ok') return self
    return readCell(this.#found.at({ ...name, datacenter: self.value.datacenter }))
  }

  #follow(name: ConsulName, sink: FoundSink): () => void {
    const { clock } = this.#env
    const follower = new NameFollower({
      name,
      sink,
      clock,
      rule: this.#rule,
      hosts: this.#parts.hosts,
      ...(this.#config.setHost && { self: this.#facts.self }),
    })
    const leave = this.#queries.join(name.datacenter, name.service, follower)
    return () => {
      leave()
      follower.close()
    }
  }

  #queryOf(datacenter: string, service: string): ConsulQuery {
    const api = this.#config.useHealthCheck ? 'health' : 'catalog'
    return { path: `/${api}/service/${encodeURIComponent(service)}`, parameters: { dc: datacenter } }
  }
}
