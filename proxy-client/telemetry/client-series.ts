// Metrics of clients: of the first few by bound id, of all others together.
import { availableCount, loadOf } from './endpoint-figures.ts'
import { resultSamples, type Sampled, type SeriesWriter } from './series-writer.ts'
import type { ClientGauges, ClientSnapshot, RouterSnapshot } from './snapshot.ts'

/** Labels: the router and the bound id. */
export function writeClients(series: SeriesWriter, routers: readonly RouterSnapshot[]): void {
  const clients = routers.flatMap(({ label, clients, otherClients }) =>
    [...clients.filter(({ hasSeries }) => hasSeries), otherClients].map(client => ({
      client,
      labels: { router: label, client: client.name },
    })),
  )
  const each = (value: (client: ClientSnapshot) => number): Sampled =>
    clients.map(({ client, labels }) => [labels, value(client)])
  const now = (value: (gauges: ClientGauges) => number): Sampled =>
    clients.flatMap(({ client, labels }) => (client.now === undefined ? [] : [[labels, value(client.now)] as const]))
  series.counter(
    'client_requests_total',
    'Attempts over a bound id that have ended.',
    clients.flatMap(({ client, labels }) => resultSamples(labels, client.requests)),
  )
  series.summary(
    'client_request_seconds',
    'From the beginning of an attempt to its end; quantiles are of this minute and the last.',
    clients.map(({ client, labels }) => [labels, client.requests.latency]),
  )
  series.counter(
    'client_requeues_total',
    'Further tries after nothing was sent.',
    each(client => client.requeues),
  )
  const exhaustedHelp = 'Requeues that were due when the budget had nothing left.'
  series.counter(
    'client_requeues_exhausted_total',
    exhaustedHelp,
    each(client => client.requeueBudgetExhausted),
  )
  series.counter(
    'client_removals_total',
    'Endpoints left alone after failures.',
    each(client => client.removals),
  )
  const probesHelp = 'Requests sent to see whether such an endpoint lives.'
  series.counter(
    'client_probes_total',
    probesHelp,
    each(client => client.probes),
  )
  series.counter(
    'client_revivals_total',
    'Such endpoints that came back.',
    each(client => client.revivals),
  )
  series.gauge(
    'client_endpoints',
    'Endpoints of the balancer.',
    now(({ endpoints }) => endpoints.length),
  )
  series.gauge('client_endpoints_available', 'Those that take requests.', now(availableCount))
  series.gauge('client_load', 'Requests that endpoints work on.', now(loadOf))
  series.gauge(
    'client_connections',
    'Connections to endpoints.',
    now(({ connections }) => connections),
  )
}
