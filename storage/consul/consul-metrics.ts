// What is counted of the connections to Consul. What is counted of writes is the same for all stores.
import type { ConsulLoad } from '../../clients/consul/agent.ts'
import type { ConsulFailure } from '../../clients/consul/options.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { sharedGauges } from '../../runtime/shared-gauges.ts'

/** Followed queries, and calls of which each is made once. */
export interface StoreLoad {
  readonly followed: ConsulLoad
  readonly calls: { readonly inUse: number; readonly waiting: number }
}

export interface ConsulStoreMetrics {
  /** A request of a followed query failed. */
  failed(reason: ConsulFailure): void
  /** Takes this store's gauges away; harmless when called twice. */
  close(): void
}

type Gauge = readonly [name: string, help: string, pick: (load: StoreLoad) => number]

const gauges: readonly Gauge[] = [
  [
    'nameplane_storage_consul_watches_open',
    'Questions that are asked of Consul again and again.',
    load => load.followed.followed,
  ],
  ['nameplane_storage_consul_calls_in_use', 'Calls to Consul that are under way.', load => load.calls.inUse],
  ['nameplane_storage_consul_calls_waiting', 'Calls to Consul that wait for a connection.', load => load.calls.waiting],
  [
    'nameplane_storage_consul_reachable',
    'Whether the Consul agent is there: 1, or 0 while nothing is asked of it.',
    load => Number(load.followed.isReachable),
  ],
]

const gaugeStores = sharedGauges<() => StoreLoad>((metrics, members) => {
  for (const [name, help, pick] of gauges) {
    const sum = (): number => [...members].reduce((total, load) => total + pick(load()), 0)
    metrics.gauge({ name, help, collect: sum })
  }
})

export function createConsulStoreMetrics(metrics: Metrics, load: () => StoreLoad): ConsulStoreMetrics {
  const errors = metrics.counter({
    name: 'nameplane_storage_consul_watch_errors_total',
    help: 'Requests of followed questions that failed, by reason.',
    labels: ['reason'],
  })
  const leave = gaugeStores(metrics, load)
  return { failed: reason => errors.inc({ reason }), close: leave }
}
