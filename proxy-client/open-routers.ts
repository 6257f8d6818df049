// The routers of one process with what feeds and counts them. Knows no admin server and no other process.
import type { Env } from '../runtime/env.ts'
import { type AdminSource, createAdminSource } from './admin/admin-source.ts'
import type { ProxyConfig, RouterConfig } from './config.ts'
import type { Listener } from './exchange/listener.ts'
import { type InterpreterConfig, sourceKeyOf } from './interpreter-config.ts'
import type { NamingClient } from './naming.ts'
import { type OpenRouter, openRouter } from './router/open-router.ts'
import { ProxyTelemetry } from './telemetry/proxy-telemetry.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** Label of a router to the addresses on which it listens. */
export type RouterAddresses = Readonly<Record<string, readonly Address[]>>

/** Routers that serve, in this process or in others. */
export interface ServingRouters {
  readonly source: AdminSource
  readonly routers: RouterAddresses
  /** Refuses new requests, lets those in progress end, and cuts what is left after `drainMs`. A second call waits for the first. */
  close(drainMs: number): Promise<void>
}

/** Opens the source of names of one router. Routers whose interpreters differ in the namespace alone share it. */
export type OpenNaming = (interpreter: InterpreterConfig, env: Env) => NamingClient | Promise<NamingClient>

/** Opens everything or nothing; rejects with `unavailable` when an address cannot be bound. The caller closes it. */
export async function openRouters(config: ProxyConfig, env: Env, openNaming: OpenNaming): Promise<ServingRouters> {
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
  } catch (error) {
    await stop(0)
    throw error
  }
  return {
    source: createAdminSource(routers, telemetry, () => closing !== undefined),
    routers: Object.fromEntries(routers.map(({ router, listeners }) => [router.label, listeners.map(addressOf)])),
    close: drainMs => (closing ??= stop(drainMs)),
  }
}

function addressOf({ ip, port }: Listener): Address {
  return { host: ip, port }
}

async function sharedNaming(
  namings: Map<string, NamingClient>,
  { interpreter }: RouterConfig,
  env: Env,
  openNaming: OpenNaming,
): Promise<NamingClient> {
  const key = sourceKeyOf(interpreter)
  const known = namings.get(key)
  if (known !== undefined) return known
  const opened = await openNaming(interpreter, env)
  namings.set(key, opened)
  return opened
}
