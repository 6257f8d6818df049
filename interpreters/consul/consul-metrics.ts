// The kind's series. Bounded: the one label is a namer's prefix, never a name.
import type { ConsulLoad } from '../../clients/consul/agent.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { sharedGauges } from '../../runtime/shared-gauges.ts'

export interface ConsulMetrics {
  /** An answer differed from the one before. */
  updated(): void
  /** A question failed, or its answer was malformed. */
  failed(): void
  /** Takes this namer's gauges away; harmless when called twice. */
  close(): void
}

/** What is counted of one namer when somebody looks. */
export interface ConsulCounts {
  readonly load: ConsulLoad
  /** Names that wait for a place under `maxNames`. */
  readonly refused: number
  /** Absent names that cost no question of their own. */
  readonly parked: number
}

/** `source` is the namer's prefix without `/#/`. */
export function createConsulMetrics(metrics: Metrics, source: string, count: () => ConsulCounts): ConsulMetrics {
  const labels = ['source'] as const
  const updates = metrics.counter({
    name: 'namer_consul_updates_total',
    help: 'Answers of Consul that differed from the one before.',
    labels,
  })
  const errors = metrics.counter({
    name: 'namer_consul_errors_total',
    help: 'Questions to Consul that failed.',
    labels,
  })
  updates.inc({ source }, 0)
  errors.inc({ source }, 0)
  const leave = gaugeConsul(metrics, { source, count })
  return { updated: () => updates.inc({ source }), failed: () => errors.inc({ source }), close: leave }
}

type Gauge = readonly [name: string, help: string, pick: (counts: ConsulCounts) => number]

const gauges: readonly Gauge[] = [
  ['consul_watches_followed', 'Questions that are asked of Consul again and again.', ({ load }) => load.followed],
  ['consul_watches_waiting', 'Questions that wait for a connection to the agent.', ({ load }) => load.waiting],
  ['consul_connections_in_use', 'Requests to the agent that are under way.', ({ load }) => load.inUse],
  ['consul_connections_limit', 'Requests that may be under way at once.', ({ load }) => load.limit],
  [
    'consul_agent_reachable',
    'Whether the agent is there: 1, or 0 while nothing is asked of it.',
    ({ load }) => Number(load.isReachable),
  ],
  ['namer_consul_names_refused', 'Names that wait because maxNames are followed.', ({ refused }) => refused],
  ['namer_consul_names_parked', 'Absent names that cost no question of their own.', ({ parked }) => parked],
]

interface CountedNamer {
  readonly source: string
  readonly count: () => ConsulCounts
}

/** The gauges have a series for each open namer. */
const gaugeConsul = sharedGauges<CountedNamer>((metrics, members) => {
  for (const [name, help, pick] of gauges) {
    metrics.gauge({
      name,
      help,
      labels: ['source'],
      collectEach: () => [...members].map(({ source, count }) => [{ source }, pick(count())] as const),
    })
  }
})
