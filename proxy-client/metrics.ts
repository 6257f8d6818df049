// What the proxy counts. Labels are the router's and fixed words, so that the number of series is bounded.
import type { Metrics } from '../runtime/metrics.ts'
import type { Stage } from './failure.ts'

/** abandoned: the client left before its response was whole. */
export type RequestResult = 'success' | 'failure' | 'abandoned'

/** Counts the requests of one router. */
export interface RouterMetrics {
  /** A request is over; 499 stands for a client that left. */
  ended(status: number, result: RequestResult, seconds: number): void
  /** The proxy answered by itself. */
  failed(stage: Stage): void
  /** Another endpoint was tried. */
  requeued(): void
}

const latencyBuckets = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30]

export function createRouterMetrics(metrics: Metrics, router: string): RouterMetrics {
  const requests = metrics.counter({
    name: 'nameplane_proxy_requests_total',
    help: 'Requests that have ended, by the class of their status and by what the response classifier made of them.',
    labels: ['router', 'status', 'result'],
  })
  const failures = metrics.counter({
    name: 'nameplane_proxy_failures_total',
    help: 'Requests that the proxy itself answered with an error (header l5d-err), by stage.',
    labels: ['router', 'stage'],
  })
  const requeues = metrics.counter({
    name: 'nameplane_proxy_requeues_total',
    help: 'Further endpoints that were tried because one could not be reached.',
    labels: ['router'],
  })
  const latency = metrics.histogram({
    name: 'nameplane_proxy_request_seconds',
    help: 'From the head of a request to the end of its response.',
    labels: ['router'],
    buckets: latencyBuckets,
  })
  return {
    ended: (status, result, seconds) => {
      requests.inc({ router, status: statusClass(status), result })
      latency.observe({ router }, seconds)
    },
    failed: stage => failures.inc({ router, stage }),
    requeued: () => requeues.inc({ router }),
  }
}

/** What observeRouters looks at. */
interface Countable {
  readonly active: number
  readonly bindings: { readonly size: number }
  readonly clients: { readonly size: number; values(): Iterable<{ readonly balancer: { readonly size: number } }> }
}

/** Gauges of all routers together, read when metrics are asked for. */
export function observeRouters(metrics: Metrics, routers: readonly Countable[]): void {
  const sum = (read: (router: Countable) => number) => (): number =>
    routers.reduce((all, router) => all + read(router), 0)
  const gauge = (name: string, help: string, read: (router: Countable) => number): void => {
    metrics.gauge({ name: `nameplane_proxy_${name}`, help, collect: sum(read) })
  }
  gauge('requests_active', 'Requests in progress.', router => router.active)
  gauge('bindings', 'Names that are kept bound.', router => router.bindings.size)
  gauge('clients', 'Bound ids whose endpoints are kept.', router => router.clients.size)
  gauge('endpoints', 'Endpoints of all clients.', router => {
    let endpoints = 0
    for (const { balancer } of router.clients.values()) endpoints += balancer.size
    return endpoints
  })
}

function statusClass(status: number): string {
  return `${Math.floor(status / 100)}xx`
}
