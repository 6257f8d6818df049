// Metrics of services: of the first few by name, of all others together.
import type { Labels } from './prometheus-text.ts'
import { resultSamples, results, type Sampled, type SeriesWriter } from './series-writer.ts'
import type { RequestsSnapshot, RouterSnapshot, ServiceSnapshot } from './snapshot.ts'
import { statusClasses } from './status-slots.ts'

/** Eight are enough to read a quantile by, and few enough to have for each name. */
const boundsMs = [5, 10, 20, 50, 100, 500, 1_000, 5_000]

/** Labels: the router and the name. */
export function writeServices(series: SeriesWriter, routers: readonly RouterSnapshot[]): void {
  const services = routers.flatMap(({ label, services, otherServices }) =>
    [...services.filter(({ hasSeries }) => hasSeries), otherServices].map(service => ({
      service,
      labels: { router: label, service: service.name },
    })),
  )
  const each = (value: (service: ServiceSnapshot) => number): Sampled =>
    services.map(({ service, labels }) => [labels, value(service)])
  series.counter(
    'service_requests_total',
    'Requests to a name that have ended.',
    services.flatMap(({ service, labels }) => resultSamples(labels, service.requests)),
  )
  series.counter(
    'service_responses_total',
    'The same by the class of their status.',
    services.flatMap(({ service, labels }) => statusSamples(labels, service.requests)),
  )
  series.histogram(
    'service_request_seconds',
    'From the head of a request to a name to the end of its response.',
    boundsMs,
    services.map(({ service, labels }) => [labels, [service.requests.latency]]),
  )
  series.gauge(
    'service_requests_active',
    'Requests in progress.',
    each(({ requests }) => requests.active),
  )
  const retriesHelp = 'Requests that were sent once more because of what came back.'
  series.counter(
    'service_retries_total',
    retriesHelp,
    each(({ retries }) => retries),
  )
  const exhaustedHelp = 'Retries that were due when the budget had nothing left.'
  series.counter(
    'service_retries_exhausted_total',
    exhaustedHelp,
    each(({ budgetExhausted }) => budgetExhausted),
  )
  series.gauge(
    'service_retry_budget',
    'Retries that the budget allows now.',
    services.flatMap(({ service: { budget }, labels }) => (budget === undefined ? [] : [[labels, budget] as const])),
  )
}

/** By class; what never happened has no series. */
function statusSamples(labels: Labels, { ended }: RequestsSnapshot): Sampled {
  return statusClasses.flatMap((status, i) => {
    const count = results.reduce((sum, _, j) => sum + (ended[i * results.length + j] ?? 0), 0)
    return count === 0 ? [] : [[{ ...labels, status }, count] as const]
  })
}
