// The namer over the load balancers of Services: io.l5d.k8s.external.

import type { Endpoint } from '../../naming/replica-set.ts'
import type { Env } from '../../runtime/env.ts'
import { TurnQueue } from '../../watch/turn-queue.ts'
import type { Found, FoundSink } from '../discovery.ts'
import type { Namer } from '../namer.ts'
import { type CollectionOptions, externalServicesOf } from './collections.ts'
import type { ServiceRecord } from './decode-service.ts'
import { FollowedName } from './followed-name.ts'
import type { AddressesOf } from './found-endpoints.ts'
import { createKubernetesMetrics, gaugeKubernetes } from './kubernetes-metrics.ts'
import { createKubernetesNamer } from './kubernetes-namer.ts'
import { Namespaces } from './namespaces.ts'
import { ServiceObjects } from './service-objects.ts'
import type { ServiceName } from './service-path.ts'
import type { SharedOptions } from './shared-options.ts'
import { SharedParts } from './shared-parts.ts'

/** The caller closes it. An API server that is away fails its names, not the start. */
export function createExternalNamer(options: SharedOptions, env: Env): Namer {
  const { cluster, hosts } = options
  const metrics = createKubernetesMetrics(env.metrics)
  const shared = new SharedParts()
  const turns = new TurnQueue(env.clock)
  const { maxNamespaces } = options
  const create = (namespace: string) => new ExternalNamespace({ ...options, namespace, shared, turns })
  const namespaces = new Namespaces({ maxNamespaces, create })
  const stopGauges = gaugeKubernetes(env.metrics, {
    load: () => cluster.load(),
    wideNamespaces: () => [...namespaces.all()].filter(({ services }) => services.isWide).length,
    fallbackNamespaces: () => 0,
    truncatedNames: () => 0,
    waitingNamespaces: () => namespaces.waiting,
  })
  const follow = (name: ServiceName, sink: FoundSink): (() => void) =>
    namespaces.follow(
      name.namespace,
      ({ services }) => {
        const followed = new FollowedName({ sink, hosts, clock: env.clock, metrics })
        const input = followed.add<ServiceRecord>(follower => services.follow(name.service, follower))
        return followed.start({
          hosts: () => selected(input.objects, name)?.ingress ?? [],
          find: addressesOf => input.objects && foundIngress(selected(input.objects, name), name, addressesOf),
        })
      },
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

class ExternalNamespace {
  readonly services: ServiceObjects<ServiceRecord>

  constructor(options: SharedOptions & CollectionOptions & { readonly turns: TurnQueue }) {
    const { cluster, turns } = options
    this.services = new ServiceObjects({
      cluster,
      turns,
      collectionOf: service => externalServicesOf(options, service),
    })
  }

  get isFollowed(): boolean {
    return this.services.isFollowed
  }

  close(): void {}
}

function selected(
  services: ReadonlyMap<string, ServiceRecord> | undefined,
  { label }: ServiceName,
): ServiceRecord | undefined {
  for (const service of services?.values() ?? []) if (label === undefined || service.label === label) return service
  return undefined
}

/** A Service whose load balancer has no address yet exists, with no endpoints. */
function foundIngress(
  service: ServiceRecord | undefined,
  { port: asked }: ServiceName,
  addressesOf: AddressesOf,
): Found {
  const port = service?.ports.find(({ name, port }) =>
    asked.kind === 'name' ? name === asked.name : port === asked.number,
  )
  if (service === undefined || port === undefined) return { exists: false, endpoints: [] }
  const addresses = new Set((service.ingress ?? []).flatMap(host => addressesOf(host)))
  const endpoints = [...addresses].sort().map((address): Endpoint => ({ address, port: port.port, weight: 1 }))
  return { exists: true, endpoints }
}
