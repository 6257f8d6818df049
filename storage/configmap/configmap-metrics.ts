// What this store asks of the API server; no label holds a name. Gauges add up every open store of a registry.
import type { ClusterLoad } from '../../clients/kubernetes/cluster.ts'
import { sharedGauges } from '../../runtime/shared-gauges.ts'

const series: readonly { readonly name: string; readonly help: string; readonly field: keyof ClusterLoad }[] = [
  { name: 'storage_k8s_watches_open', help: 'Collections followed: heads and Leases', field: 'collections' },
  { name: 'storage_k8s_objects', help: 'Objects held of them', field: 'objects' },
  { name: 'storage_k8s_lists', help: 'Lists that open stores have asked for', field: 'lists' },
  { name: 'storage_k8s_watches', help: 'Watches that open stores have asked for', field: 'watches' },
  { name: 'storage_k8s_drift', help: 'Changes that a list found and no watch had told', field: 'drift' },
]

/** Adds a store's load to the gauges, until the returned function is called. */
export const gaugeConfigMaps = sharedGauges<() => ClusterLoad>((metrics, members) => {
  for (const { name, help, field } of series)
    metrics.gauge({ name, help, collect: () => members.values().reduce((sum, load) => sum + load()[field], 0) })
})
