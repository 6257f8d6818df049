// `nameplane/client`: names, endpoints and balancing inside a program, without a proxy between. The door of the package.
export type { BoundName, BoundTree } from '../../naming/bound-tree.ts'
export { NamingError } from '../../naming/errors.ts'
export type { Endpoint, ReplicaSet } from '../../naming/replica-set.ts'
export type { Cell, Unwatch, Watcher } from '../../watch/cell.ts'
export type { State } from '../../watch/state.ts'
export type { Outcome } from '../balancer/balancer.ts'
export type { ConnectionState } from '../watch/watch-connection.ts'
export type { BalancingOptions } from './balancing.ts'
export { createDispatcher, type DispatcherOptions } from './dispatcher.ts'
export {
  createBalancer,
  type EndpointBalancer,
  type EndpointBalancerOptions,
  type PickOptions,
} from './endpoint-balancer.ts'
export type { PickedEndpoint } from './name-balancer.ts'
export {
  createNamingClient,
  type NameOptions,
  type NamingClient,
  type NamingClientOptions,
  type WatchOptions,
} from './naming-client.ts'
