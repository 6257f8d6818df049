// Gauges of the proxies that are connected to this thread: how many there are, and how many are behind in which namespace.
import type { Metrics } from '../../runtime/metrics.ts'
import type { ProxyRegistry } from './proxy-registry.ts'

/** Namespaces with a series of their own. */
const maxSeries = 1_000

/** Registers them, for as long as the registry lives. */
export function gaugeProxies(metrics: Metrics, registry: Pick<ProxyRegistry, 'behindCounts' | 'protocolCounts'>): void {
  metrics.gauge({
    name: 'nameplane_proxies',
    help: 'Proxies that are connected to this server.',
    labels: ['protocol'],
    collectEach: () => [...registry.protocolCounts()].map(([protocol, count]) => [{ protocol }, count]),
  })
  metrics.gauge({
    name: 'nameplane_proxies_behind',
    help: `Proxies connected to this server that have not confirmed all it has for them; of at most ${maxSeries} namespaces that proxies follow, those with most of them first.`,
    labels: ['namespace'],
    collectEach: () =>
      registry
        .behindCounts()
        .slice(0, maxSeries)
        .map(([namespace, behind]) => [{ namespace }, behind]),
  })
}
