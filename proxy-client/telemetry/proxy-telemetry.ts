// The telemetry of a whole process: what its routers share, and one snapshot of all of them.
import type { Env } from '../../runtime/env.ts'
import { type AccessLog, openAccessLog } from './access-log.ts'
import type { AccessLogConfig } from './access-log-config.ts'
import { Minutes } from './minutes.ts'
import { RecentRequests } from './recent-requests.ts'
import { createRouterTelemetry, type RouterMeter, type RouterReading } from './router-telemetry.ts'
import type { TelemetrySnapshot } from './snapshot.ts'
import { prometheusOf, type TelemetryConfig } from './telemetry-config.ts'

/** What a router's configuration says that matters here. */
export interface MeteredRouter extends AccessLogConfig {
  readonly label: string
  readonly bindingCache: { readonly paths: number; readonly clients: number }
}

export class ProxyTelemetry {
  readonly recent: RecentRequests | undefined
  readonly #env: Pick<Env, 'clock' | 'log' | 'random'>
  readonly #minutes: Minutes
  readonly #maxSeries: number
  readonly #startedAt: number
  readonly #accessLogs: AccessLog[] = []

  constructor(config: TelemetryConfig, env: Pick<Env, 'clock' | 'log' | 'random'>) {
    this.#env = env
    this.#startedAt = env.clock.now()
    this.#minutes = new Minutes(env.clock)
    this.#maxSeries = prometheusOf(config).maxScopes
    const recent = config.find(one => one.kind === 'io.l5d.recentRequests')
    this.recent = recent && new RecentRequests(recent, env.random)
  }

  /** Begins to count a router; opens its access log, or rejects. */
  async open(config: MeteredRouter): Promise<RouterMeter> {
    const accessLog = await openAccessLog(config, {
      clock: this.#env.clock,
      log: this.#env.log.child({ router: config.label }),
    })
    if (accessLog !== undefined) this.#accessLogs.push(accessLog)
    return createRouterTelemetry(config.label, {
      minutes: this.#minutes,
      maxServices: config.bindingCache.paths,
      maxClients: config.bindingCache.clients,
      maxSeries: this.#maxSeries,
      ...(this.recent !== undefined && { recent: this.recent }),
      ...(accessLog !== undefined && { accessLog }),
    })
  }

  /** Of these routers, in this order. */
  snapshot(routers: readonly { readonly meter: RouterMeter; readonly reading: RouterReading }[]): TelemetrySnapshot {
    return {
      at: this.#env.clock.now(),
      startedAt: this.#startedAt,
      processes: 1,
      recentMs: this.#minutes.recentMs,
      routers: routers.map(({ meter, reading }) => meter.snapshot(reading)),
      recent: this.recent?.list() ?? [],
    }
  }

  /** Writes what waits in the access logs. */
  async close(): Promise<void> {
    this.#minutes.close()
    await Promise.all(this.#accessLogs.map(log => log.close()))
  }
}
