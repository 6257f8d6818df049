// The series of the three kinds; bounded, because no label holds a name. Gauges add up every open namer of a registry.
import type { ClusterLoad } from '../../clients/kubernetes/cluster.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { sharedGauges } from '../../runtime/shared-gauges.ts'

export interface KubernetesMetrics {
  /** One name was computed anew. */
  computed(): void
  /** The list or watch of one name's objects failed. */
  failed(): void
}

/** What an open namer says of itself. */
export interface KubernetesGauges {
  load(): ClusterLoad
  /** Kubernetes namespaces followed as a whole. */
  wideNamespaces(): number
  /** Kubernetes namespaces read through Endpoints for want of EndpointSlices. */
  fallbackNamespaces(): number
  /** Names whose Endpoints object was cut off. */
  truncatedNames(): number
  /** Kubernetes namespaces that wait because of `maxNamespaces`. */
  waitingNamespaces(): number
}

/** Registers the series; namers share them. */
export function createKubernetesMetrics(metrics: Metrics): KubernetesMetrics {
  const computations = metrics.counter({ name: 'namer_k8s_updates_total', help: 'Names computed anew' })
  const errors = metrics.counter({ name: 'namer_k8s_errors_total', help: 'Failures told to names' })
  return { computed: () => computations.inc(), failed: () => errors.inc() }
}

type Gauge = (gauges: KubernetesGauges) => number

const series: readonly { readonly name: string; readonly help: string; readonly value: Gauge }[] = [
  { name: 'namer_k8s_watches_open', help: 'Collections followed', value: gauges => gauges.load().collections },
  { name: 'namer_k8s_objects', help: 'Objects held', value: gauges => gauges.load().objects },
  { name: 'namer_k8s_lists', help: 'Lists that open namers have asked for', value: gauges => gauges.load().lists },
  {
    name: 'namer_k8s_watches',
    help: 'Watches that open namers have asked for',
    value: gauges => gauges.load().watches,
  },
  { name: 'namer_k8s_drift', help: 'Lists that found what no watch had told', value: gauges => gauges.load().drift },
  { name: 'namer_k8s_wide', help: 'Namespaces followed as a whole', value: gauges => gauges.wideNamespaces() },
  { name: 'namer_k8s_fallback', help: 'Namespaces read by Endpoints', value: gauges => gauges.fallbackNamespaces() },
  {
    name: 'namer_k8s_namespaces_refused',
    help: 'Namespaces that wait because maxNamespaces are followed',
    value: gauges => gauges.waitingNamespaces(),
  },
  { name: 'namer_k8s_truncated', help: 'Names with cut-off Endpoints', value: gauges => gauges.truncatedNames() },
]

/** Adds a namer to the gauges, until the returned function is called. */
export const gaugeKubernetes = sharedGauges<KubernetesGauges>((metrics, members) => {
  for (const { name, help, value } of series) {
    metrics.gauge({ name, help, collect: () => members.values().reduce((sum, gauges) => sum + value(gauges), 0) })
  }
})
