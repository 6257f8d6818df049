// From a change in a real Consul or Kubernetes to a client on the gRPC watch, and what a large world costs the server.
// Wants the real backends (`npm run backends`). Each part is a file of bench/discovery and runs alone by `node FILE`.
import { measureConsulLatency } from './discovery/consul-latency.ts'
import { measureManyConsulNames } from './discovery/consul-many-names.ts'
import { measureChurn } from './discovery/kubernetes-churn.ts'
import { measureLargeCluster } from './discovery/kubernetes-large-cluster.ts'
import { measureLargeService } from './discovery/kubernetes-large-service.ts'
import { measureSliceLatency } from './discovery/kubernetes-latency.ts'
import { head } from './discovery/spread.ts'
import { printTable } from './measure.ts'

export async function run(): Promise<void> {
  const parts = [
    measureConsulLatency,
    measureManyConsulNames,
    measureSliceLatency,
    measureLargeService,
    measureLargeCluster,
    measureChurn,
  ]
  for (const measure of parts) printTable([head, ...(await measure()), []])
}

if (import.meta.main) await run()
