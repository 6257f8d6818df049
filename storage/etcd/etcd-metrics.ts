// What is counted of the connections to etcd. What is counted of writes is the same for all stores.
import type { EtcdEvents } from '../../clients/etcd/options.ts'
import type { Metrics } from '../../runtime/metrics.ts'

/** For the client: labels are its reasons only. */
export function createEtcdEvents(metrics: Metrics): Required<EtcdEvents> {
  const failures = metrics.counter({
    name: 'nameplane_storage_etcd_failures_total',
    help: 'Tries of a call that an endpoint of etcd did not serve, and watches that were given up, by reason.',
    labels: ['reason'],
  })
  const begun = metrics.counter({
    name: 'nameplane_storage_etcd_watches_total',
    help: 'Watches begun, each after a whole reading.',
  })
  const open = metrics.gauge({
    name: 'nameplane_storage_etcd_watches_open',
    help: 'Watches open at etcd: one for all dtabs, one for presence while somebody asks for it.',
  })
  return {
    onFailure: reason => failures.inc({ reason }),
    onWatch: () => {
      begun.inc()
      open.inc()
      return () => open.dec()
    },
  }
}
