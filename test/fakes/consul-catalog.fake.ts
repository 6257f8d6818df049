// What a fake Consul agent knows: instances by service, with an index that moves as Consul's does.

export interface FakeInstance {
  readonly service: string
  /** Unique within its node; the service's name when absent. */
  readonly id?: string
  readonly node?: string
  /** Of the node; 127.0.0.1 when absent. */
  readonly nodeAddress?: string
  /** Of the service; empty when absent, so that the node's counts. */
  readonly address?: string
  readonly port?: number
  readonly tags?: readonly string[]
  readonly meta?: Readonly<Record<string, string>>
  readonly nodeMeta?: Readonly<Record<string, string>>
  /** The instance's checks; one that passes when absent. */
  readonly checks?: readonly ('passing' | 'warning' | 'critical' | 'maintenance')[]
  /** dc1 when absent. */
  readonly datacenter?: string
}

export class FakeCatalog {
  #index = 1
  readonly #instances = new Map<string, FakeInstance>()
  readonly #changedAt = new Map<string, number>()

  get index(): number {
    return this.#index
  }

  /** The index of the last change of a service; of the last change of any when it was never there. */
  indexOf(service: string): number {
    return this.#changedAt.get(service.toLowerCase()) ?? this.#index
  }

  /** Adds an instance, or replaces the one of that node and id. */
  register(instance: FakeInstance): void {
    this.#instances.set(keyOf(instance), instance)
    this.#changed(instance.service)
  }

  deregister(instance: FakeInstance): void {
    this.#instances.delete(keyOf(instance))
    this.#changed(instance.service)
  }

  /** Moves indexes on without a change, as churn elsewhere does. */
  churn(service?: string): void {
    if (service === undefined) this.#index++
    else this.#changed(service)
  }

  instances(service: string, datacenter: string): readonly FakeInstance[] {
    const name = service.toLowerCase()
    return this.all(datacenter).filter(instance => instance.service.toLowerCase() === name)
  }

  all(datacenter: string): readonly FakeInstance[] {
    return [...this.#instances.values()].filter(instance => (instance.datacenter ?? 'dc1') === datacenter)
  }

  #changed(service: string): void {
    this.#changedAt.set(service.toLowerCase(), ++this.#index)
  }
}

function keyOf({ service, id = service, node = 'node1', datacenter = 'dc1' }: FakeInstance): string {
  return `${datacenter}/${node}/${id}`
}

/** /catalog/service as Consul shows one instance. */
export function showCatalogService(instance: FakeInstance): unknown {
  const { service, id = service, node = 'node1', nodeAddress = '127.0.0.1', datacenter = 'dc1' } = instance
  return {
    Node: node,
    Address: nodeAddress,
    Datacenter: datacenter,
    NodeMeta: instance.nodeMeta ?? {},
    ServiceID: id,
    ServiceName: service,
    ServiceAddress: instance.address ?? '',
    ServicePort: instance.port ?? 0,
    ServiceTags: instance.tags ?? [],
    ServiceMeta: instance.meta ?? {},
  }
}

/** /health/service as Consul shows one instance. */
export function showHealthService(instance: FakeInstance): unknown {
  const { service, id = service, node = 'node1', nodeAddress = '127.0.0.1', datacenter = 'dc1' } = instance
  const checks = instance.checks ?? ['passing']
  return {
    Node: { Node: node, Address: nodeAddress, Datacenter: datacenter, Meta: instance.nodeMeta ?? {} },
    Service: {
      ID: id,
      Service: service,
      Tags: instance.tags ?? [],
      Address: instance.address ?? '',
      Port: instance.port ?? 0,
      Meta: instance.meta ?? {},
    },
    Checks: checks.map((status, i) => ({
      Node: node,
      CheckID: status === 'maintenance' ? `_service_maintenance:${id}` : `service:${id}:${i}`,
      Status: status === 'maintenance' ? 'critical' : status,
      ServiceID: id,
      ServiceName: service,
    })),
  }
}
