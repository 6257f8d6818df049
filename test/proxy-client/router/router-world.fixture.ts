// A router whose names, endpoints and time a test sets by hand, and what it tells of its requests.
import { onTestFinished } from 'vitest'
import type { z } from 'zod'
import { proxyConfig } from '../../../proxy-client/config.ts'
import { UpstreamSet } from '../../../proxy-client/pool/upstream-set.ts'
import { createRouter } from '../../../proxy-client/router/create-router.ts'
import type { Entrance } from '../../../proxy-client/router/routing.ts'
import { Tunnels } from '../../../proxy-client/router/tunnels.ts'
import type { RequestRecord, RouterTelemetry } from '../../../proxy-client/telemetry/stats.ts'
import { TimeoutQueues } from '../../../proxy-client/timeout/timeout-queues.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { endpointAt, FakeNaming } from '../naming.fake.ts'
import { seededRandom } from '../seeded-random.fixture.ts'
import { FakeInbound, type InboundSketch } from './fake-inbound.fixture.ts'
import { FakeUpstreams } from './fake-upstreams.fixture.ts'

export type RouterSketch = NonNullable<z.input<typeof proxyConfig>['routers']>[number]

/** Figures as lines: `service /svc/web ended 200 success`. */
class ToldTelemetry implements RouterTelemetry {
  readonly told: string[] = []
  readonly records: RequestRecord[] = []
  readonly wantsRecords = true
  /** Requests in progress, by each time that a scope was taken up. */
  readonly #active: { readonly scope: string; requests: number }[] = []

  server(address: string) {
    return this.#stats(`server ${address}`)
  }

  service(path: string) {
    return this.#stats(`service ${path}`)
  }

  client(id: string) {
    return this.#stats(`client ${id}`)
  }

  releaseService(): void {}

  releaseClient(): void {}

  failed(stage: string): void {
    this.told.push(`failed ${stage}`)
  }

  record(record: RequestRecord): void {
    this.records.push(record)
  }

  /** How often a line was told. */
  count(line: string): number {
    return this.told.filter(told => told === line).length
  }

  /** Scopes of which a request has not ended, or ended without having begun there. */
  unfinished(): readonly string[] {
    return this.#active.filter(({ requests }) => requests !== 0).map(({ scope, requests }) => `${scope} ${requests}`)
  }

  #stats(scope: string) {
    const active = { scope, requests: 0 }
    this.#active.push(active)
    const tell = (what: string) => (): void => {
      this.told.push(`${scope} ${what}`)
    }
    return {
      began: (): void => {
        active.requests++
        this.told.push(`${scope} began`)
      },
      ended: (status: number, result: string): void => {
        active.requests--
        this.told.push(`${scope} ended ${status} ${result}`)
      },
      retried: tell('retried'),
      budgetExhausted: tell('budgetExhausted'),
      requeued: tell('requeued'),
      requeueBudgetExhausted: tell('requeueBudgetExhausted'),
      removed: tell('removed'),
      probed: tell('probed'),
      revived: tell('revived'),
    }
  }
}

/** `entrance` is laid over a listener without any option. Ended when the test is, which must leave no timer and no watch. */
export function createRouterWorld(sketch: RouterSketch = {}, entrance: Partial<Entrance> = {}) {
  const clock = new FakeClock()
  const random = seededRandom(5)
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const naming = new FakeNaming(kernel)
  const upstreams = new FakeUpstreams()
  const telemetry = new ToldTelemetry()
  const timeouts = new TimeoutQueues(clock)
  const [config] = proxyConfig.parse({ routers: [sketch] }).routers
  if (config === undefined) throw new Error('no router')
  const open = new UpstreamSet(error => {
    throw error
  })
  const createPools = () => upstreams.create
  const tunnels = new Tunnels()
  const parts = { clock, random, log: silentLog, naming, telemetry, timeouts, tunnels, upstreams: open, createPools }
  const router = createRouter(config, parts)
  const handle = router.handlerFor({
    stats: telemetry.server('here'),
    clearContext: false,
    maxCallDepth: 1000,
    forwarded: undefined,
    timestampHeader: undefined,
    tunnelIdle: undefined,
    ...entrance,
  })
  const request = (options: InboundSketch = {}): FakeInbound => {
    const inbound = new FakeInbound({ startedAt: clock.monotonic(), ...options })
    handle(inbound)
    return inbound
  }
  /** Binds /svc/web to endpoints with these ports. */
  const serve = (...ports: readonly number[]): void => {
    naming.route(
      '/svc/web',
      '/#/web',
      ports.map(port => endpointAt(port)),
    )
    clock.settle()
  }
  onTestFinished(() => {
    router.close()
    timeouts.close()
  })
  return { clock, kernel, naming, upstreams, telemetry, router, request, serve }
}
