// Puts a proxy together from its configuration: naming clients, routers, admin server.
import { startAdmin } from '../runtime/admin-server.ts'
import type { Env } from '../runtime/env.ts'
import { createAdminSource } from './admin/admin-source.ts'
import { adminRoutes } from './admin/routes.ts'
import type { ProxyConfig, RouterConfig } from './config.ts'
import type { Listener } from './exchange/listener.ts'
import type { NamingClient } from './naming.ts'
import { type OpenRouter, openRouter } from './router/open-router.ts'
import { ProxyTelemetry } from './telemetry/proxy-telemetry.ts'

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
export type OpenNaming = (addresses: readonly string[], env: Env) => NamingClient | Promise<NamingClient>

const defaultDrainMs = 10_000

/** Starts everything or nothing; rejects with `unavailable` when an address cannot be bound. The caller closes it. */
export async function startProxy(config: ProxyConfig, env: Env, openNaming: OpenNaming): Promise<RunningProxy> {
  const namings = new Map<string, NamingClient>()
  const routers: OpenRouter[] = []
  const telemetry = new ProxyTelemetry(config.telemetry, env)
  let closing: Promise<void> | undefined
  const stop = async (drainMs: number): Promise<void> => {
    await Promise.all(routers.map(router => router.close(drainMs)))
    for (const naming of namings.values()) await naming.close()
    await telemetry.close()
  }
  try {
    for (const routerConfig of config.routers) {
      const naming = await sharedNaming(namings, routerConfig, env, openNaming)
      const meter = await telemetry.open(routerConfig)
      routers.push(await openRouter(routerConfig, { naming, meter, env }))
    }
    const admin = await startAdmin({
      host: config.admin.ip,
      port: config.admin.port,
      routes: adminRoutes({
        source: createAdminSource(routers, telemetry, () => closing !== undefined),
        metrics: env.metrics,
        config,
      }),
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

async function sharedNaming(
  namings: Map<string, NamingClient>,
  { interpreter: { addresses } }: RouterConfig,
  env: Env,
  openNaming: OpenNaming,
): Promise<NamingClient> {
  const key = addresses.toSorted().join(' ')
  const known = namings.get(key)
  if (known !== undefined) return known
  const opened = await openNaming(addresses, env)
  namings.set(key, opened)
  return opened
}
