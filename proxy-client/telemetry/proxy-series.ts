// Our own metrics, nameplane_proxy_*, from a snapshot. Names of services and clients are labels of the first few only; the rest
// is `other`, so that the number of series is bounded whatever clients ask for.
import { coarseBounds } from './latency-buckets.ts'
import { cumulativeCounts, quantileMs, resultCounts, totalCount } from './latency-figures.ts'
import { type Labels, PrometheusText } from './prometheus-text.ts'
import type {
  ClientSnapshot,
  LatencySnapshot,
  RequestsSnapshot,
  RouterSnapshot,
  TelemetrySnapshot,
} from './snapshot.ts'
import { statusClasses } from './status-slots.ts'

const results = ['success', 'failure', 'abandoned'] as const
const serviceBounds = [5, 10, 20, 50, 100, 500, 1_000, 5_000]
const quantiles = [0.5, 0.95, 0.99]

type Sampled = readonly (readonly [labels: Labels, value: number])[]

/** The text for /metrics, to stand after the metrics of the process. */
export function proxySeries(snapshot: TelemetrySnapshot): string {
  const text = new PrometheusText()
  const { routers } = snapshot
  writeRouters(text, routers)
  writeServers(text, routers)
  writeServices(text, routers)
  writeClients(text, routers)
  return text.toString()
}

function write(text: PrometheusText, type: 'counter' | 'gauge', name: string, help: string, samples: Sampled): void {
  const full = `nameplane_proxy_${name}`
  text.metric(full, type, help)
  for (const [labels, value] of samples) text.sample(full, labels, value)
}

function writeRouters(text: PrometheusText, routers: readonly RouterSnapshot[]): void {
  const each = (value: (router: RouterSnapshot) => number): Sampled =>
    routers.map(router => [{ router: router.label }, value(router)])
  write(
    text,
    'counter',
    'requests_total',
    'Requests that have ended, by the class of their status and by what the response classifier made of them.',
    routers.flatMap(endedSamples),
  )
  write(
    text,
    'counter',
    'failures_total',
    'Requests that the proxy itself answered with an error (header l5d-err), by stage.',
    routers.flatMap(({ label, failures }) =>
      Object.entries(failures).map(([stage, count]) => [{ router: label, stage }, count] as const),
    ),
  )
  write(
    text,
    'counter',
    'requeues_total',
    'Further connections or endpoints that were tried because nothing had been sent.',
    each(({ requeues }) => requeues),
  )
  const name = 'nameplane_proxy_request_seconds'
  text.metric(name, 'histogram', 'From the head of a request to the end of its response.')
  for (const { label, servers } of routers) {
    const latencies = servers.map(({ requests }) => requests.latency)
    writeHistogram(text, name, { router: label }, latencies, coarseBounds)
  }
  write(
    text,
    'gauge',
    'requests_active',
    'Requests in progress.',
    each(({ active }) => active),
  )
  write(
    text,
    'gauge',
    'bindings',
    'Names that are kept bound.',
    each(({ bindings }) => bindings.size),
  )
  write(
    text,
    'gauge',
    'clients',
    'Bound ids whose endpoints are kept.',
    each(({ clientCache }) => clientCache.size),
  )
  write(
    text,
    'gauge',
    'endpoints',
    'Endpoints of all clients.',
    each(({ clients }) => clients.reduce((sum, { now }) => sum + (now?.endpoints.length ?? 0), 0)),
  )
  write(
    text,
    'counter',
    'cache_evicted_total',
    'Names and bound ids that made room for others.',
    routers.flatMap(cacheSamples(({ evicts }) => evicts)),
  )
  write(
    text,
    'counter',
    'cache_expired_total',
    'Names and bound ids that nobody had asked for in a long time.',
    routers.flatMap(cacheSamples(({ expires }) => expires)),
  )
  write(
    text,
    'counter',
    'access_log_dropped_total',
    'Lines of the access log that could not be written in time.',
    each(({ logLinesDropped }) => logLinesDropped),
  )
}

function cacheSamples(value: (cache: RouterSnapshot['bindings']) => number): (router: RouterSnapshot) => Sampled {
  return ({ label, bindings, clientCache }) => [
    [{ router: label, cache: 'bindings' }, value(bindings)],
    [{ router: label, cache: 'clients' }, value(clientCache)],
  ]
}

/** Every server's requests together; what never happened has no series. */
function endedSamples({ label, servers }: RouterSnapshot): Sampled {
  return statusClasses.flatMap((status, i) =>
    results.flatMap((result, j) => {
      const at = i * results.length + j
      const count = servers.reduce((sum, { requests }) => sum + (requests.ended[at] ?? 0), 0)
      return count === 0 ? [] : [[{ router: label, status, result }, count] as const]
    }),
  )
}

function resultSamples(labels: Labels, requests: RequestsSnapshot): Sampled {
  const counts = resultCounts(requests)
  return results.map(result => [{ ...labels, result }, counts[result]])
}

function writeServers(text: PrometheusText, routers: readonly RouterSnapshot[]): void {
  const servers = routers.flatMap(({ label, servers }) =>
    servers.map(server => ({ server, labels: { router: label, server: server.name } })),
  )
  write(
    text,
    'counter',
    'server_requests_total',
    'Requests to a listener that have ended.',
    servers.flatMap(({ server, labels }) => resultSamples(labels, server.requests)),
  )
  write(
    text,
    'gauge',
    'server_connections',
    'Connections of clients that are open.',
    servers.map(({ server, labels }) => [labels, server.connections]),
  )
  writeSummary(
    text,
    'server_request_seconds',
    'Latency of a listener; quantiles are of this minute and the last.',
    servers.map(({ server, labels }) => [labels, server.requests.latency]),
  )
}

function writeServices(text: PrometheusText, routers: readonly RouterSnapshot[]): void {
  const services = routers.flatMap(({ label, services, otherServices }) =>
    [...services.filter(({ hasSeries }) => hasSeries), otherServices].map(service => ({
      service,
      labels: { router: label, service: service.name },
    })),
  )
  type Service = (typeof services)[number]['service']
  const each = (value: (service: Service) => number | undefined): Sampled =>
    services.flatMap(({ service, labels }) => {
      const found = value(service)
      return found === undefined ? [] : [[labels, found] as const]
    })
  write(
    text,
    'counter',
    'service_requests_total',
    'Requests to a name that have ended.',
    services.flatMap(({ service, labels }) => resultSamples(labels, service.requests)),
  )
  write(
    text,
    'counter',
    'service_responses_total',
    'The same by the class of their status.',
    services.flatMap(({ service, labels }) => statusSamples(labels, service.requests)),
  )
  const name = 'nameplane_proxy_service_request_seconds'
  text.metric(name, 'histogram', 'From the head of a request to a name to the end of its response.')
  for (const { service, labels } of services)
    writeHistogram(text, name, labels, [service.requests.latency], serviceBounds)
  write(
    text,
    'gauge',
    'service_requests_active',
    'Requests in progress.',
    each(({ requests }) => requests.active),
  )
  write(
    text,
    'counter',
    'service_retries_total',
    'Requests that were sent once more because of what came back.',
    each(({ retries }) => retries),
  )
  write(
    text,
    'counter',
    'service_retries_exhausted_total',
    'Retries that were due when the budget had nothing left.',
    each(({ budgetExhausted }) => budgetExhausted),
  )
  write(
    text,
    'gauge',
    'service_retry_budget',
    'Retries that the budget allows now.',
    each(({ budget }) => budget),
  )
}

/** By class; what never happened has no series. */
function statusSamples(labels: Labels, { ended }: RequestsSnapshot): Sampled {
  return statusClasses.flatMap((status, i) => {
    const count = results.reduce((sum, _, j) => sum + (ended[i * results.length + j] ?? 0), 0)
    return count === 0 ? [] : [[{ ...labels, status }, count] as const]
  })
}

function writeClients(text: PrometheusText, routers: readonly RouterSnapshot[]): void {
  const clients = routers.flatMap(({ label, clients, otherClients }) =>
    [...clients.filter(({ hasSeries }) => hasSeries), otherClients].map(client => ({
      client,
      labels: { router: label, client: client.name },
    })),
  )
  const each = (value: (client: ClientSnapshot) => number): Sampled =>
    clients.map(({ client, labels }) => [labels, value(client)])
  const now = (value: (gauges: NonNullable<ClientSnapshot['now']>) => number): Sampled =>
    clients.flatMap(({ client, labels }) => (client.now === undefined ? [] : [[labels, value(client.now)] as const]))
  write(
    text,
    'counter',
    'client_requests_total',
    'Attempts over a bound id that have ended.',
    clients.flatMap(({ client, labels }) => resultSamples(labels, client.requests)),
  )
  writeSummary(
    text,
    'client_request_seconds',
    'From the beginning of an attempt to its end; quantiles are of this minute and the last.',
    clients.map(({ client, labels }) => [labels, client.requests.latency]),
  )
  write(
    text,
    'counter',
    'client_requeues_total',
    'Further tries after nothing was sent.',
    each(c => c.requeues),
  )
  write(
    text,
    'counter',
    'client_requeues_exhausted_total',
    'Requeues that were due when the budget had nothing left.',
    each(c => c.requeueBudgetExhausted),
  )
  write(
    text,
    'counter',
    'client_removals_total',
    'Endpoints left alone after failures.',
    each(c => c.removals),
  )
  write(
    text,
    'counter',
    'client_probes_total',
    'Requests sent to see whether such an endpoint lives.',
    each(c => c.probes),
  )
  write(
    text,
    'counter',
    'client_revivals_total',
    'Such endpoints that came back.',
    each(c => c.revivals),
  )
  write(
    text,
    'gauge',
    'client_endpoints',
    'Endpoints of the balancer.',
    now(({ endpoints }) => endpoints.length),
  )
  write(
    text,
    'gauge',
    'client_endpoints_available',
    'Those that take requests.',
    now(({ endpoints }) => endpoints.filter(({ state }) => state === 'open').length),
  )
  write(
    text,
    'gauge',
    'client_load',
    'Requests that endpoints work on.',
    now(({ endpoints }) => endpoints.reduce((sum, { load }) => sum + load, 0)),
  )
  write(
    text,
    'gauge',
    'client_connections',
    'Connections to endpoints.',
    now(({ connections }) => connections),
  )
}

function writeHistogram(
  text: PrometheusText,
  name: string,
  labels: Labels,
  latencies: readonly LatencySnapshot[],
  boundsMs: readonly number[],
): void {
  const cumulated = latencies.map(latency => cumulativeCounts(latency, boundsMs))
  for (const [i, bound] of boundsMs.entries()) {
    const count = cumulated.reduce((sum, counts) => sum + (counts[i] ?? 0), 0)
    text.sample(`${name}_bucket`, { ...labels, le: String(bound / 1000) }, count)
  }
  const count = latencies.reduce((sum, latency) => sum + totalCount(latency), 0)
  text.sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count)
  text.sample(`${name}_sum`, labels, latencies.reduce((sum, { sumMs }) => sum + sumMs, 0) / 1000)
  text.sample(`${name}_count`, labels, count)
}

function writeSummary(
  text: PrometheusText,
  name: string,
  help: string,
  scopes: readonly (readonly [labels: Labels, latency: LatencySnapshot])[],
): void {
  const full = `nameplane_proxy_${name}`
  text.metric(full, 'summary', help)
  for (const [labels, latency] of scopes) {
    for (const quantile of quantiles) {
      const ms = quantileMs(latency, quantile)
      text.sample(full, { ...labels, quantile: String(quantile) }, ms === undefined ? Number.NaN : ms / 1000)
    }
    text.sample(`${full}_sum`, labels, latency.sumMs / 1000)
    text.sample(`${full}_count`, labels, totalCount(latency))
  }
}
