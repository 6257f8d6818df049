// A proxy whose routers run in workers; this process has the admin pages and watches over them.
import type { Env } from '../../runtime/env.ts'
import type { ProxyConfig } from '../config.ts'
import { beginAccessLogs } from '../telemetry/access-log.ts'
import { type RunningProxy, withAdmin } from '../with-admin.ts'
import { claimPorts } from './claim-ports.ts'
import { Fleet } from './fleet.ts'

/** Starts every worker or none; rejects as the first that cannot start says. The caller closes it. */
export async function startFleet(config: ProxyConfig, env: Env): Promise<RunningProxy> {
  const routersOfWorkers = await beginAccessLogs(await claimPorts(config.routers), env.clock)
  const fleet = new Fleet({ ...config, routers: routersOfWorkers }, env)
  const routers = await fleet.start()
  return await withAdmin({ routers, source: fleet.source, close: drainMs => fleet.close(drainMs) }, config, env)
}
