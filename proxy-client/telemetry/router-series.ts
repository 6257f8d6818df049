// Metrics of routers and of their listeners.
import { coarseBounds } from './latency-buckets.ts'
import { resultSamples, results, type Sampled, type SeriesWriter } from './series-writer.ts'
import type { RouterSnapshot } from './snapshot.ts'
import { statusClasses } from './status-slots.ts'

/** Labels: the router. */
export function writeRouters(series: SeriesWriter, routers: readonly RouterSnapshot[]): void {
  const each = (value: (router: RouterSnapshot) => number): Sampled =>
    routers.map(router => [{ router: router.label }, value(router)])
  series.counter(
    'requests_total',
    'Requests that have ended, by the class of their status and by what the response classifier made of them.',
    routers.flatMap(endedSamples),
  )
  series.counter(
    'failures_total',
    'Requests that the proxy itself answered with an error (header l5d-err), by stage.',
    routers.flatMap(({ label, failures }) =>
      Object.entries(failures).map(([stage, count]) => [{ router: label, stage }, count] as const),
    ),
  )
  const requeuesHelp = 'Further connections or endpoints that were tried because nothing had been sent.'
  series.counter(
    'requeues_total',
    requeuesHelp,
    each(({ requeues }) => requeues),
  )
  series.histogram(
    'request_seconds',
    'From the head of a request to the end of its response.',
    coarseBounds,
    routers.map(({ label, servers }) => [{ router: label }, servers.map(({ requests }) => requests.latency)]),
  )
  series.gauge(
    'requests_active',
    'Requests in progress.',
    each(({ active }) => active),
  )
  series.gauge(
    'bindings',
    'Names that are kept bound.',
    each(({ bindings }) => bindings.size),
  )
  series.gauge(
    'clients',
    'Bound ids whose endpoints are kept.',
    each(({ clientCache }) => clientCache.size),
  )
  series.gauge('endpoints', 'Endpoints of all clients.', each(endpointCount))
  const evictedHelp = 'Names and bound ids that made room for others.'
  series.counter('cache_evicted_total', evictedHelp, routers.flatMap(cacheSamples(({ evicts }) => evicts)))
  const expiredHelp = 'Names and bound ids that nobody had asked for in a long time.'
  series.counter('cache_expired_total', expiredHelp, routers.flatMap(cacheSamples(({ expires }) => expires)))
  const droppedHelp = 'Lines of the access log that could not be written in time.'
  series.counter(
    'access_log_dropped_total',
    droppedHelp,
    each(({ logLinesDropped }) => logLinesDropped),
  )
}

/** Labels: the router and the address of the listener. */
export function writeServers(series: SeriesWriter, routers: readonly RouterSnapshot[]): void {
  const servers = routers.flatMap(({ label, servers }) =>
    servers.map(server => ({ server, labels: { router: label, server: server.name } })),
  )
  series.counter(
    'server_requests_total',
    'Requests to a listener that have ended.',
    servers.flatMap(({ server, labels }) => resultSamples(labels, server.requests)),
  )
  series.gauge(
    'server_connections',
    'Connections of clients that are open.',
    servers.map(({ server, labels }) => [labels, server.connections]),
  )
  series.summary(
    'server_request_seconds',
    'Latency of a listener; quantiles are of this minute and the last.',
    servers.map(({ server, labels }) => [labels, server.requests.latency]),
  )
}

function endpointCount({ clients }: RouterSnapshot): number {
  return clients.reduce((sum, { now }) => sum + (now?.endpoints.length ?? 0), 0)
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
