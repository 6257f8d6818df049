// Puts a proxy together from its configuration: naming clients, routers, listeners, admin server. The only file that knows them all.
import { startAdmin } from '../runtime/admin-server.ts'
import type { Env } from '../runtime/env.ts'
import { adminRoutes } from './admin/routes.ts'
import type { RunningRouter } from './admin/state.ts'
import { createP2c } from './balancer/p2c.ts'
import { BindingCache } from './binding/binding-cache.ts'
import { classifierFor } from './classifier/http-classifiers.ts'
import { ClientCache } from './client/client-cache.ts'
import type { ProxyConfig, RouterConfig } from './config.ts'
import { type Listener, startListener } from './exchange/node-listener.ts'
import { createHeaderToken } from './identifier/header-token.ts'
import { createRouterMetrics, observeRouters } from './metrics.ts'
import type { NamingClient } from './naming.ts'
import { createUndiciPools } from './pool/undici-pool.ts'
import { UpstreamSet } from './pool/upstream-set.ts'
import { Router } from './router/router.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

export interface RunningProxy {
  readonly admin: Address
  /** Label to the addresses on which that router listens. */
  readonly routers: Readonly<Record<string, readonly Address[]>>
  /** Refuses new requests, lets those in progress end, and cuts what is left after `drainMs` (10 s). A second call waits for the first. */
  close(drainMs?: number): Promise<void>
}

/** Opens the source of names of one router. Routers with the same servers share it. */
export type OpenNaming = (addresses: readonly string[], env: Env) => NamingClient

/** A router and what it opened. */
interface OpenRouter extends RunningRouter {
  readonly config: RouterConfig
  readonly listeners: readonly Listener[]
  readonly destroyUpstreams: () => Promise<void>
}

const defaultDrainMs = 10_000

/** Starts everything or nothing; rejects with `unavailable` when an address cannot be bound. The caller closes it. */
export async function startProxy(config: ProxyConfig, env: Env, openNaming: OpenNaming): Promise<RunningProxy> {
  const namings = new Map<string, NamingClient>()
  const routers: OpenRouter[] = []
  let closing: Promise<void> | undefined
  const stop = async (drainMs: number): Promise<void> => {
    await Promise.all(routers.flatMap(({ listeners }) => listeners.map(listener => listener.close(drainMs))))
    for (const { router } of routers) router.close()
    await Promise.all(routers.map(({ destroyUpstreams }) => destroyUpstreams()))
    for (const naming of namings.values()) await naming.close()
  }
  try {
    for (const routerConfig of config.routers) {
      const naming = sharedNaming(namings, routerConfig, env, openNaming)
      routers.push(await openRouter(routerConfig, naming, env))
    }
    observeRouters(
      env.metrics,
      routers.map(({ router }) => router),
    )
    const admin = await startAdmin({
      host: config.admin.ip,
      port: config.admin.port,
      routes: adminRoutes({ routers, metrics: env.metrics, isClosing: () => closing !== undefined }),
      onError: error => env.log.error({ err: error }, 'an admin page failed'),
    })
    const close = async (drainMs: number): Promise<void> => {
      await stop(drainMs)
      await admin.close()
    }
    return {
      admin: { host: admin.host, port: admin.port },
      routers: Object.fromEntries(routers.map(({ router, listeners }) => [router.label, listeners.map(addressOf)])),
      close: (drainMs = defaultDrainMs) => (closing ??= close(drainMs)),
    }
  } catch (error) {
    await stop(0)
    throw error
  }
}

function addressOf({ ip, port }: Listener): Address {
  return { host: ip, port }
}

function sharedNaming(
  namings: Map<string, NamingClient>,
  { interpreter: { addresses } }: RouterConfig,
  env: Env,
  openNaming: OpenNaming,
): NamingClient {
  const key = addresses.toSorted().join(' ')
  const known = namings.get(key)
  if (known !== undefined) return known
  const opened = openNaming(addresses, env)
  namings.set(key, opened)
  return opened
}

async function openRouter(config: RouterConfig, naming: NamingClient, env: Env): Promise<OpenRouter> {
  const log = env.log.child({ router: config.label })
  const upstreams = new UpstreamSet(createUndiciPools(config.client.clientSession), error =>
    log.warn({ err: error }, 'connections to an endpoint could not be closed'),
  )
  const router = createRouter(config, naming, env, upstreams)
  const listeners: Listener[] = []
  const metrics = createRouterMetrics(env.metrics, config.label)
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
    await Promise.all(listeners.map(listener => listener.close(0)))
    router.close()
    throw error
  }
  return { config, router, naming, listeners, destroyUpstreams: () => upstreams.destroy() }
}

function createRouter(config: RouterConfig, naming: NamingClient, env: Env, upstreams: UpstreamSet): Router {
  const { clock, random } = env
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
    metrics: createRouterMetrics(env.metrics, config.label),
    onError: error => env.log.error({ err: error, router: config.label }, 'a request failed unexpectedly'),
  })
}
