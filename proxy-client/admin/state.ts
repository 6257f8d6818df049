// What /state shows: how a name is bound now, to which endpoints, under which load, and how old that knowledge is.
// Times are in ms since 1970.
import type { BoundName, BoundTree } from '../../naming/bound-tree.ts'
import { foldNameTree } from '../../naming/fold.ts'
import { showPath } from '../../naming/path.ts'
import type { Binding } from '../binding/binding.ts'
import type { BoundClient } from '../client/bound-client.ts'
import type { NamingClient } from '../naming.ts'
import type { Router } from '../router/router.ts'

/** A router with what feeds and serves it. */
export interface RunningRouter {
  readonly router: Router
  readonly naming: NamingClient
  readonly listeners: readonly { readonly ip: string; readonly port: number; readonly connections: number }[]
}

/** Survives JSON. */
export interface ProxyState {
  readonly routers: readonly ReturnType<typeof routerState>[]
}

/** Of every router, all of it. */
export function stateOf(routers: readonly RunningRouter[]): ProxyState {
  return { routers: routers.map(routerState) }
}

function routerState({ router, naming, listeners }: RunningRouter) {
  const { bindings, clients } = router
  return {
    label: router.label,
    namespace: router.namespace,
    servers: listeners.map(({ ip, port, connections }) => ({ ip, port, connections })),
    activeRequests: router.active,
    naming: naming.status(),
    bindingCache: {
      bindings: bindings.size,
      clients: clients.size,
      evicted: bindings.counts.evicts,
      expired: bindings.counts.expires,
    },
    bindings: Array.from(bindings.values(), bindingState),
    clients: Array.from(clients.values(), clientState),
  }
}

function bindingState(binding: Binding): object {
  const { pathText, dtab, tree, stale, isBound, unboundState } = binding
  return {
    path: pathText,
    ...(dtab !== '' && { dtab }),
    state: isBound ? 'bound' : unboundState.kind,
    ...(unboundState.kind === 'failed' && { error: unboundState.error.message }),
    ...(!isBound && unboundState.kind === 'pending' && { waitingFor: unboundState.waitingFor }),
    ...(stale !== undefined && { staleSince: stale.since, staleReason: stale.reason.message }),
    ...(tree !== undefined && { tree: treeJson(tree) }),
  }
}

function clientState({ idText, state, stale, users, connections, balancer }: BoundClient): object {
  return {
    id: idText,
    state: state.kind === 'known' && !state.exists ? 'neg' : state.kind,
    ...(state.kind === 'failed' && { error: state.error.message }),
    ...(stale !== undefined && { staleSince: stale.since, staleReason: stale.reason.message }),
    usedByBindings: users,
    connections,
    endpoints: balancer.report(),
  }
}

function treeJson(tree: BoundTree): object {
  return foldNameTree<BoundName, object>(tree, {
    leaf: ({ id, residual }) => ({ type: 'leaf', id: showPath(id), residual: showPath(residual) }),
    mark: kind => ({ type: kind }),
    alt: trees => ({ type: 'alt', trees }),
    union: (trees, weights) => ({
      type: 'union',
      branches: trees.map((kid, i) => ({ weight: weights[i], tree: kid })),
    }),
  })
}
