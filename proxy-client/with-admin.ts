// The admin server over routers that serve, in this process or in workers: together a proxy.
import { startAdmin } from '../runtime/admin-server.ts'
import type { Env } from '../runtime/env.ts'
import { adminRoutes } from './admin/routes.ts'
import type { ProxyConfig } from './config.ts'
import type { Address, RouterAddresses, ServingRouters } from './open-routers.ts'

export interface RunningProxy {
  readonly admin: Address
  readonly routers: RouterAddresses
  /** Refuses new requests, lets those in progress end, and cuts what is left after `drainMs` (10 s). A second call waits for the first. */
  close(drainMs?: number): Promise<void>
}

const defaultDrainMs = 10_000

/** Shows routers that serve on admin pages. Takes them over: they are closed with it, and when the pages cannot be served. */
export async function withAdmin(serving: ServingRouters, config: ProxyConfig, env: Env): Promise<RunningProxy> {
  const { source, routers } = serving
  let closing: Promise<void> | undefined
  try {
    const admin = await startAdmin({
      host: config.admin.ip,
      port: config.admin.port,
      routes: adminRoutes({ source, metrics: env.metrics, config }),
      onError: error => env.log.error({ err: error }, 'an admin page failed'),
    })
    const close = async (drainMs: number): Promise<void> => {
      await serving.close(drainMs)
      await admin.close()
    }
    return {
      admin: { host: admin.host, port: admin.port },
      routers,
      close: (drainMs = defaultDrainMs) => (closing ??= close(drainMs)),
    }
  } catch (error) {
    await serving.close(0)
    throw error
  }
}
