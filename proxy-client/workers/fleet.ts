// The workers of a proxy: they share its ports, each with its own socket, watch, pools and balancers; the system spreads new
// connections over them. This process only watches over them and shows what they tell.
import cluster from 'node:cluster'
import type { Env } from '../../runtime/env.ts'
import type { AdminSource } from '../admin/admin-source.ts'
import type { ReadyReport } from '../admin/ready.ts'
import type { ProxyConfig } from '../config.ts'
import type { RouterAddresses } from '../open-routers.ts'
import { MergedTelemetry } from '../telemetry/merged-telemetry.ts'
import type { TelemetrySnapshot } from '../telemetry/snapshot.ts'
import { fleetReady } from './fleet-ready.ts'
import { WorkerLink } from './worker-link.ts'
import { WorkerSlot } from './worker-slot.ts'

/** Beyond the drain time, for a worker to write down what it has to. */
const closeMs = 4_000

export class Fleet {
  readonly #slots: readonly WorkerSlot[]
  readonly #env: Env
  readonly #merged = new MergedTelemetry()
  #isClosing = false

  constructor(config: ProxyConfig, env: Env) {
    const { clock, log } = env
    this.#env = env
    const telemetry = this.#merged
    // Structured clones keep what JSON loses, such as an absent key beside an undefined one.
    cluster.setupPrimary({ serialization: 'advanced' })
    this.#slots = Array.from(
      { length: config.workers },
      (_, i) =>
        new WorkerSlot({
          worker: i + 1,
          clock,
          log,
          fork: (worker, onExit) => new WorkerLink({ worker, config, clock, telemetry }, onExit),
        }),
    )
    env.metrics.gauge({
      name: 'nameplane_proxy_workers',
      help: 'Workers that run now.',
      collect: () => this.#slots.filter(({ link }) => link !== undefined).length,
    })
    env.metrics.gauge({
      name: 'nameplane_proxy_worker_restarts',
      help: 'Workers that took the place of one that had ended unasked, since the start.',
      collect: () => this.#slots.reduce((sum, { restarts }) => sum + restarts, 0),
    })
  }

  /** Starts all; rejects with the first that cannot, and then none is left. */
  async start(): Promise<RouterAddresses> {
    try {
      const [routers = {}] = await Promise.all(this.#slots.map(slot => slot.start()))
      return routers
    } catch (error) {
      await this.close(0)
      throw error
    }
  }

  /** What the admin pages show. */
  readonly source: AdminSource = {
    telemetry: () => this.#telemetry(),
    state: async () => ({ routers: (await Promise.all(this.#slots.map(routersOf))).flat() }),
    ready: () => this.#ready(),
  }

  /** Every worker finishes its requests, at most for drainMs. */
  async close(drainMs: number): Promise<void> {
    this.#isClosing = true
    await Promise.all(this.#slots.map(slot => slot.close(drainMs + closeMs)))
  }

  async #telemetry(): Promise<TelemetrySnapshot> {
    await Promise.all(this.#slots.map(({ link }) => link?.count()))
    const now = this.#env.clock.now()
    const none = { at: now, startedAt: now, processes: 0, recentMs: 1, routers: [], recent: [] }
    return this.#merged.merged() ?? none
  }

  async #ready(): Promise<ReadyReport> {
    if (this.#isClosing) return { ready: false, reasons: [{ reason: 'the proxy is stopping' }] }
    return await fleetReady(this.#slots)
  }
}

async function routersOf({ worker, link }: WorkerSlot) {
  const state = await link?.ask('state')
  return (state?.routers ?? []).map(router => ({ worker, pid: link?.pid, ...router }))
}
