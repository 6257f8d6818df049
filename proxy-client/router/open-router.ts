// Puts one router together from its configuration and opens its listeners.
import type { Env } from '../../runtime/env.ts'
import type { RunningRouter } from '../admin/state.ts'
import { createP2c } from '../balancer/p2c.ts'
import { BindingCache } from '../binding/binding-cache.ts'
import { classifierFor } from '../classifier/http-classifiers.ts'
import { ClientCache } from '../client/client-cache.ts'
import type { RouterConfig } from '../config.ts'
import { type Listener, startListener } from '../exchange/node-listener.ts'
import { createHeaderToken } from '../identifier/header-token.ts'
import { createRouterMetrics, type RouterMetrics } from '../metrics.ts'
import type { NamingClient } from '../naming.ts'
import { createUndiciPools } from '../pool/undici-pool.ts'
import { UpstreamSet } from '../pool/upstream-set.ts'
import { Router } from './router.ts'

/** A router that serves. */
export interface OpenRouter extends RunningRouter {
  readonly listeners: readonly Listener[]
  /** Lets requests in progress end, at most for drainMs, and releases everything but the naming client. */
  close(drainMs: number): Promise<void>
}

/** Listens on every server of the configuration or on none; rejects with `unavailable` naming the address that cannot be bound. */
export async function openRouter(config: RouterConfig, naming: NamingClient, env: Env): Promise<OpenRouter> {
  const log = env.log.child({ router: config.label })
  const upstreams = new UpstreamSet(createUndiciPools(config.client.clientSession), error =>
    log.warn({ err: error }, 'connections to an endpoint could not be closed'),
  )
  const metrics = createRouterMetrics(env.metrics, config.label)
  const router = createRouter(config, { ...env, naming, upstreams, routerMetrics: metrics })
  const listeners: Listener[] = []
  const close = async (drainMs: number): Promise<void> => {
    await Promise.all(listeners.map(listener => listener.close(drainMs)))
    router.close()
    await upstreams.destroy()
  }
  try {
    for (const { ip, port } of config.servers) {
      listeners.push(
        await startListener({
          ip,
          port,
          role: `router ${config.label}`,
          clock: env.clock,
          handle: router.handle,
          onRefused: failure => {
            metrics.failed(failure.stage)
            log.debug({ stage: failure.stage }, failure.message)
          },
        }),
      )
    }
  } catch (error) {
    await close(0)
    throw error
  }
  return { router, naming, listeners, close }
}

interface RouterParts extends Env {
  readonly naming: NamingClient
  readonly upstreams: UpstreamSet
  readonly routerMetrics: RouterMetrics
}

function createRouter(config: RouterConfig, parts: RouterParts): Router {
  const { clock, random, naming, upstreams, routerMetrics } = parts
  const { paths, clients: maxClients, idleTtlSecs } = config.bindingCache
  const idleMs = idleTtlSecs * 1000
  const clients = new ClientCache({
    resolver: naming,
    clock,
    max: maxClients,
    idleMs,
    createBalancer: () =>
      createP2c({ ...config.client.loadBalancer, random, open: upstreams.open, close: upstreams.close }),
  })
  const { namespace } = config.interpreter
  return new Router({
    label: config.label,
    namespace,
    identifier: createHeaderToken(config.identifier.header, config.dstPrefix),
    bindings: new BindingCache({ namespace, resolver: naming, clients, clock, max: paths, idleMs }),
    clients,
    classifier: classifierFor(config.service.responseClassifier),
    bindingTimeoutMs: config.bindingTimeoutMs,
    clock,
    random,
    metrics: routerMetrics,
    log: parts.log.child({ router: config.label }),
    namingProblem: () => naming.status().problem,
  })
}
