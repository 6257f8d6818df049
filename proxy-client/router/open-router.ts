// Opens one router: its connections and its listeners.
import type { Env } from '../../runtime/env.ts'
import type { RouterConfig } from '../config.ts'
import { createForwardedValue } from '../exchange/forwarded.ts'
import { type Listener, startListener } from '../exchange/listener.ts'
import type { NamingClient } from '../naming.ts'
import { createSocketPools } from '../pool/socket-pool.ts'
import { UpstreamSet } from '../pool/upstream-set.ts'
import type { RouterMeter, RouterReading } from '../telemetry/router-telemetry.ts'
import { TimeoutQueues } from '../timeout/timeout-queues.ts'
import { createAcceptLog } from './accept-log.ts'
import { createRouter, headLimitsOf } from './create-router.ts'
import type { Router } from './router.ts'
import { createRouterReading } from './router-reading.ts'
import { Tunnels } from './tunnels.ts'

/** A router that serves. */
export interface OpenRouter {
  readonly router: Router
  readonly naming: NamingClient
  readonly listeners: readonly Listener[]
  readonly meter: RouterMeter
  /** What its meter is read with. */
  readonly reading: RouterReading
  /** Lets requests in progress end, at most for drainMs, and releases everything but the naming client and the meter. */
  close(drainMs: number): Promise<void>
}

/** What a router is opened with; it owns none of them. */
export interface RouterSurroundings {
  readonly naming: NamingClient
  readonly meter: RouterMeter
  readonly env: Env
}

/** Listens on every server of the configuration or on none; rejects with `unavailable` naming the address that cannot be bound. */
export async function openRouter(config: RouterConfig, surroundings: RouterSurroundings): Promise<OpenRouter> {
  const { naming, meter } = surroundings
  const env = { ...surroundings.env, log: surroundings.env.log.child({ router: config.label }) }
  const upstreams = new UpstreamSet(error =>
    env.log.warn({ err: error }, 'connections to an endpoint could not be closed'),
  )
  const timeouts = new TimeoutQueues(env.clock)
  const tunnels = new Tunnels()
  const parts = { ...env, naming, upstreams, timeouts, tunnels, telemetry: meter, createPools: createSocketPools }
  const router = createRouter(config, parts)
  const listeners: Listener[] = []
  const close = async (drainMs: number): Promise<void> => {
    await Promise.all(listeners.map(listener => listener.close(drainMs)))
    tunnels.close()
    router.close()
    timeouts.close()
    await upstreams.destroy()
  }
  try {
    for (const server of config.servers) listeners.push(await listen(config, server, { router, timeouts, meter, env }))
  } catch (error) {
    await close(0)
    throw error
  }
  const byName = new Map(config.servers.map((server, i) => [nameOf(server), listeners[i]]))
  return { router, naming, listeners, meter, reading: createRouterReading(router, byName), close }
}

interface ListenParts {
  readonly router: Router
  readonly timeouts: TimeoutQueues
  readonly meter: RouterMeter
  readonly env: Env
}

async function listen(
  config: RouterConfig,
  server: RouterConfig['servers'][number],
  { router, timeouts, meter, env: { clock, random, log } }: ListenParts,
): Promise<Listener> {
  const { addForwardedHeader } = server
  return startListener({
    config: server,
    role: `router ${config.label}`,
    clock,
    limits: headLimitsOf(config),
    handle: router.handlerFor({
      stats: meter.server(nameOf(server)),
      clearContext: server.clearContext,
      maxCallDepth: server.maxCallDepth,
      timestampHeader: server.timestampHeader,
      tunnelIdle: timeouts.of(server.tunnelIdleTimeMs),
      forwarded: addForwardedHeader && createForwardedValue(addForwardedHeader, { routerLabel: config.label, random }),
    }),
    onRefused: failure => {
      meter.failed(failure.stage)
      log.debug({ stage: failure.stage }, failure.message)
    },
    onCrash: error => log.error({ err: error }, 'a connection of a client failed unexpectedly and was cut'),
    onAcceptError: createAcceptLog(log, clock, nameOf(server)),
  })
}

/** How figures name a listener: as it is configured. */
function nameOf({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return `${ip}:${port}`
}
