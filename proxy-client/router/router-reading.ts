// What telemetry cannot count because only the router knows it: read when somebody asks.
import type { Listener } from '../exchange/listener.ts'
import type { RouterReading } from '../telemetry/router-telemetry.ts'
import type { Router } from './router.ts'

/** Names of servers are `address:port`, as their figures have them. */
export function createRouterReading(
  { services, clients, bindings }: Router,
  listeners: ReadonlyMap<string, Pick<Listener, 'connections'> | undefined>,
): RouterReading {
  return {
    connections: server => listeners.get(server)?.connections ?? 0,
    budget: service => services.peek(service)?.budget.balance,
    client: id => {
      const client = clients.peek(id)
      return client && { connections: client.connections, endpoints: client.balancer.report() }
    },
    get bindings() {
      return bindings.counts
    },
    get clientCache() {
      return clients.counts
    },
  }
}
