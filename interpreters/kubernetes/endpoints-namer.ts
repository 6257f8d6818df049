// The namer over EndpointSlices (or Endpoints), with the Service for ports by number: io.l5d.k8s and io.l5d.k8s.ns.
import type { Env } from '../../runtime/env.ts'
import { TurnQueue } from '../../watch/turn-queue.ts'
import type { FoundSink } from '../discovery.ts'
import type { Namer } from '../namer.ts'
import { type CollectionOptions, endpointsOf, servicesOf, slicesOf } from './collections.ts'
import type { ServiceRecord } from './decode-service.ts'
import type { EndpointRecord } from './endpoint-record.ts'
import { endpointsRule } from './endpoints-rule.ts'
import { FollowedName, type FollowedNameOptions } from './followed-name.ts'
import type { TerminatingRule } from './found-endpoints.ts'
import { createKubernetesMetrics, gaugeKubernetes } from './kubernetes-metrics.ts'
import { createKubernetesNamer } from './kubernetes-namer.ts'
import { Namespaces } from './namespaces.ts'
import { ServiceObjects } from './service-objects.ts'
import type { ServiceName } from './service-path.ts'
import type { SharedOptions } from './shared-options.ts'
import { SharedParts } from './shared-parts.ts'
import { SlicesOrEndpoints } from './slices-or-endpoints.ts'
import { TruncatedNames } from './truncated-names.ts'

export interface EndpointsNamerOptions extends SharedOptions {
  readonly terminating: TerminatingRule
}

/** The caller closes it. An API server that is away fails its names, not the start. */
export function createEndpointsNamer(options: EndpointsNamerOptions, env: Env): Namer {
  const { cluster, hosts, terminating } = options
  const { clock } = env
  const shared = new SharedParts()
  const metrics = createKubernetesMetrics(env.metrics)
  const truncated = new TruncatedNames(env.log)
  const turns = new TurnQueue(clock)
  const { maxNamespaces } = options
  const create = (namespace: string) => createNamespace({ ...options, namespace, shared, turns }, env)
  const namespaces = new Namespaces({ maxNamespaces, create })
  const stopGauges = gaugeKubernetes(env.metrics, {
    load: () => cluster.load(),
    wideNamespaces: () => count(namespaces.all(), ({ isWide }) => isWide),
    fallbackNamespaces: () => count(namespaces.all(), ({ records }) => records.isFallback),
    truncatedNames: () => truncated.size,
    waitingNamespaces: () => namespaces.waiting,
  })
  const follow = (name: ServiceName, sink: FoundSink): (() => void) =>
    namespaces.follow(
      name.namespace,
      namespace => followName(name, { sink, hosts, clock, metrics, namespace, terminating, truncated }),
      error => sink.fail(error),
    )
  const onClose = (): void => {
    stopGauges()
    namespaces.close()
    cluster.close()
    hosts.close()
  }
  return createKubernetesNamer({ ...options, follow, onClose }, env)
}

interface EndpointsNamespace {
  readonly records: SlicesOrEndpoints
  readonly services: ServiceObjects<ServiceRecord>
  readonly isFollowed: boolean
  readonly isWide: boolean
  close(): void
}

type NamespaceOptions = EndpointsNamerOptions & CollectionOptions & { readonly turns: TurnQueue }

function createNamespace(options: NamespaceOptions, { clock, log }: Env): EndpointsNamespace {
  const { namespace, cluster, turns } = options
  const slices = new ServiceObjects({ cluster, turns, collectionOf: service => slicesOf(options, service) })
  const endpoints = new ServiceObjects({ cluster, turns, collectionOf: service => endpointsOf(options, service) })
  const services = new ServiceObjects({ cluster, turns, collectionOf: service => servicesOf(options, service) })
  const records = new SlicesOrEndpoints({ namespace, cluster, clock, log, slices, endpoints })
  return {
    records,
    services,
    get isFollowed() {
      return records.isFollowed || services.isFollowed
    },
    get isWide() {
      return slices.isWide || endpoints.isWide || services.isWide
    },
    close: () => records.close(),
  }
}

interface NameContext extends FollowedNameOptions {
  readonly namespace: EndpointsNamespace
  readonly terminating: TerminatingRule
  readonly truncated: TruncatedNames
}

function followName(name: ServiceName, context: NameContext): () => void {
  const { namespace, terminating, truncated } = context
  const followed = new FollowedName(context)
  const records = followed.add<EndpointRecord>(follower => namespace.records.follow(name.service, follower))
  const services =
    name.port.kind === 'number'
      ? followed.add<ServiceRecord>(follower => namespace.services.follow(name.service, follower))
      : undefined
  const stop = followed.start(endpointsRule({ name, records, services, terminating, truncated }))
  return () => {
    stop()
    truncated.forget(name)
  }
}

function count<T>(all: Iterable<T>, isCounted: (one: T) => boolean): number {
  let counted = 0
  for (const one of all) if (isCounted(one)) counted++
  return counted
}
