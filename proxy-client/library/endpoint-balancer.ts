// A balancer over the endpoints of one name, for a program that makes its connections itself.
import type { Endpoint } from '../../naming/replica-set.ts'
import { systemRandom } from '../../watch/clock.ts'
import { type BalancingOptions, balancersOf } from './balancing.ts'
import { LeafBalancers } from './leaf-balancers.ts'
import { NameBalancer, type PickedEndpoint } from './name-balancer.ts'
import { insideOf, type NameOptions, type NamingClient } from './naming-client.ts'

export interface EndpointBalancerOptions extends BalancingOptions, NameOptions {}

export interface PickOptions {
  /** How long to wait for a name that is not known yet, in milliseconds; 10,000 when absent. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** The maker closes it. */
export interface EndpointBalancer {
  /**
   * One endpoint for one request. Resolves at once when the name is known; rejects with a NamingError that says why there is
   * none. Its `release` tells the balancer how the request ended.
   */
  pick(options?: PickOptions): Promise<PickedEndpoint<Endpoint>>
  close(): void
}

const defaultTimeoutMs = 10_000

/** Follows a name from now on. */
export function createBalancer(
  client: NamingClient,
  name: string,
  { namespace, dtab, ...balancing }: EndpointBalancerOptions = {},
): EndpointBalancer {
  const naming = insideOf(client)
  const create = balancersOf<Endpoint>(balancing, naming.clock, { open: endpoint => endpoint, close: () => {} })
  const balancer = new NameBalancer({
    name,
    tree: client.bind(name, { ...(namespace !== undefined && { namespace }), ...(dtab !== undefined && { dtab }) }),
    leaves: new LeafBalancers(id => naming.resolver.replicas(id), create),
    naming,
    random: systemRandom,
  })
  return {
    pick: ({ timeoutMs = defaultTimeoutMs, signal } = {}) => balancer.pick(timeoutMs, signal),
    close: () => balancer.close(),
  }
}
