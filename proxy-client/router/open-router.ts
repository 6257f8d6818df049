// Opens one router: its connections and its listeners.
import type { Env } from '../../runtime/env.ts'
import type { RouterConfig } from '../config.ts'
import { createForwardedValue } from '../exchange/forwarded.ts'
import { type Listener, startListener } from '../exchange/listener.ts'
import { defaultLimits } from '../http1/limits.ts'
import type { NamingClient } from '../naming.ts'
import { createSocketPools } from '../pool/socket-pool.ts'
import { UpstreamSet } from '../pool/upstream-set.ts'
import type { RouterMeter, RouterReading } from '../telemetry/router-telemetry.ts'
import { TimeoutQueues } from '../timeout/timeout-queues.ts'
import { createRouter } from './create-router.ts'
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
  const listeners = new Map<string, Listener>()
  const close = async (drainMs: number): Promise<void> => {
    await Promise.all(Array.from(listeners.values(), listener => listener.close(drainMs)))
    tunnels.close()
    router.close()
    timeouts.close()
    await upstreams.destroy()
  }
  try {
    for (const server of config.servers) {
      const listener = await listen(config, server, { router, meter, env })
      listeners.set(nameOf(listener), listener)
    }
  } catch (error) {
    await close(0)
    throw error
  }
  const reading = createRouterReading(router, listeners)
  return { router, naming, listeners: [...listeners.values()], meter, reading, close }
}

interface ListenParts {
  readonly router: Router
  readonly meter: RouterMeter
  readonly env: Env
}

async function listen(
  { label, maxHeadersKB, maxInitialLineKB }: RouterConfig,
  server: RouterConfig['servers'][number],
  { router, meter, env: { clock, random, log } }: ListenParts,
): Promise<Listener> {
  const { addForwardedHeader } = server
  return startListener({
    config: server,
    role: `router ${label}`,
    clock,
    limits: { ...defaultLimits, maxStartLineBytes: maxInitialLineKB * 1024, maxFieldBytes: maxHeadersKB * 1024 },
    handle: router.handlerFor({
      stats: meter.server(nameOf(server)),
      clearContext: server.clearContext,
      maxCallDepth: server.maxCallDepth,
      timestampHeader: server.timestampHeader,
      forwarded: addForwardedHeader && createForwardedValue(addForwardedHeader, { routerLabel: label, random }),
    }),
    onRefused: failure => {
      meter.failed(failure.stage)
      log.debug({ stage: failure.stage }, failure.message)
    },
  })
}

/** How figures name a listener. */
function nameOf({ ip, port }: { readonly ip: string; readonly port: number }): string {
  return `${ip}:${port}`
}
