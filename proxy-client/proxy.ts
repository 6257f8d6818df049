// A proxy in this process: its routers and its admin server.
import type { Env } from '../runtime/env.ts'
import type { ProxyConfig } from './config.ts'
import { type OpenNaming, openRouters } from './open-routers.ts'
import { type RunningProxy, withAdmin } from './with-admin.ts'

export type { RunningProxy } from './with-admin.ts'

/** Starts everything in this process, or nothing; rejects with `unavailable` when an address cannot be bound. The caller closes it. */
export async function startProxy(config: ProxyConfig, env: Env, openNaming: OpenNaming): Promise<RunningProxy> {
  return await withAdmin(await openRouters(config, env, openNaming), config, env)
}
