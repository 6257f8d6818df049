// The `telemetry` list of the configuration: what is told to whom beyond the proxy's own metrics. Knows no router.
import { z } from 'zod'

const adminPath = z
  .string()
  .regex(/^\/[A-Za-z0-9._/-]{1,200}$/, 'not a path of the admin server, such as /admin/metrics/prometheus')

/** Linkerd's names of metrics, for dashboards that rely on them. /metrics has our own, whatever stands here. */
const prometheus = z.strictObject({
  kind: z.literal('io.l5d.prometheus'),
  path: adminPath.default('/admin/metrics/prometheus'),
  /** Stands before each of linkerd's names. */
  prefix: z
    .string()
    .regex(/^[A-Za-z_:][A-Za-z0-9_:]*$|^$/, 'not the beginning of a metric name: letters, digits, _ and :')
    .default(''),
  /** Services, and clients, of one router that have series of their own; further ones share one scope called `other`. */
  maxScopes: z.int().min(1).max(10_000).default(50),
})

/** Requests shown on the page /requests. */
const recentRequests = z.strictObject({
  kind: z.literal('io.l5d.recentRequests'),
  /** The share of requests that are kept, 0 to 1. */
  sampleRate: z.number().min(0).max(1),
  capacity: z.int().min(1).max(10_000).default(10),
})

const known = [prometheus, recentRequests] as const
const knownKinds = known.map(({ shape }) => shape.kind.value).join(', ')

const telemeter = z.discriminatedUnion('kind', known, {
  error: issue =>
    issue.code === 'invalid_union' ? `no such kind of telemetry here; known kinds: ${knownKinds}` : undefined,
})

/** Each kind at most once. */
export const telemetryConfig = z.array(telemeter).superRefine((list, context) => {
  for (const [i, { kind }] of list.entries()) {
    if (list.findIndex(other => other.kind === kind) < i)
      context.addIssue({ code: 'custom', path: [i, 'kind'], message: `${kind} stands here already` })
  }
})

export type TelemetryConfig = z.output<typeof telemetryConfig>
export type PrometheusConfig = z.output<typeof prometheus>
export type RecentRequestsConfig = z.output<typeof recentRequests>

const defaultPrometheus: PrometheusConfig = prometheus.parse({ kind: 'io.l5d.prometheus' })

/** What holds for linkerd's names, which are served without an entry too. */
export function prometheusOf(config: TelemetryConfig): PrometheusConfig {
  return config.find(one => one.kind === 'io.l5d.prometheus') ?? defaultPrometheus
}
