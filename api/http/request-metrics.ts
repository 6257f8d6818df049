// Counts and times of requests and streams. Labels are routes and statuses, never what a client sent.
import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'

/** In seconds. */
const buckets = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10]

/** Adds the metrics `http_api_*`. */
export function addRequestMetrics(app: FastifyInstance, { ports, streams, warm }: HttpContext): void {
  const { metrics } = ports
  const requests = metrics.counter({
    name: 'http_api_requests_total',
    help: 'Requests answered, by route and status class.',
    labels: ['route', 'status'],
  })
  const seconds = metrics.histogram({
    name: 'http_api_request_seconds',
    help: 'Time from the head of a request to the end of its answer; watches are not counted.',
    buckets,
  })
  metrics.gauge({ name: 'http_api_streams_open', help: 'Watches that are open.', collect: () => streams.size })
  metrics.gauge({
    name: 'http_api_warm_cells',
    help: 'Cells kept watched for single requests.',
    collect: () => warm.size,
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    requests.inc({ route, status: `${Math.trunc(reply.statusCode / 100)}xx` })
    if (!streams.hasStreamed(reply.raw)) seconds.observe(reply.elapsedTime / 1000)
  })
}
