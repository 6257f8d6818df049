// The pages of the proxy's admin server. None of them changes anything.
import { type AdminAnswer, type AdminRoute, htmlAnswer, jsonAnswer, textAnswer } from '../../runtime/admin-server.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { version } from '../../runtime/version.ts'
import { linkerdPrometheus, metricsJson } from '../telemetry/linkerd-exports.ts'
import { prometheusContentType } from '../telemetry/prometheus-text.ts'
import { proxySeries } from '../telemetry/proxy-series.ts'
import type { TelemetrySnapshot } from '../telemetry/snapshot.ts'
import { prometheusOf, type TelemetryConfig } from '../telemetry/telemetry-config.ts'
import { isoTime } from '../telemetry/time-text.ts'
import type { AdminSource } from './admin-source.ts'
import { dashboardPage } from './dashboard-page.ts'
import { dashboardScript } from './dashboard-script.ts'
import { boundNames, clientStates } from './linkerd-state.ts'
import { readyAnswer } from './ready.ts'
import { requestsPage } from './requests-page.ts'
import { adminStyle } from './style.ts'
import { summaryOf } from './summary.ts'

export interface AdminSubject {
  readonly source: AdminSource
  /** Of this process. */
  readonly metrics: Metrics
  /** As it was read; shown as it is. */
  readonly config: { readonly telemetry: TelemetryConfig }
}

/** Path to page. /metrics has our names, the path of `io.l5d.prometheus` linkerd's. */
export function adminRoutes(subject: AdminSubject): Readonly<Record<string, AdminRoute>> {
  const { source, config } = subject
  const { path, prefix } = prometheusOf(config.telemetry)
  return {
    '/': () => htmlAnswer(dashboardPage),
    '/summary.json': async () => jsonAnswer(summaryOf(...(await Promise.all([source.telemetry(), source.ready()])))),
    ...requestRoutes(subject),
    '/ready': async () => readyAnswer(await source.ready()),
    '/live': () => textAnswer('live\n'),
    '/state': async () => jsonAnswer(await source.state()),
    '/client_state.json': async () => jsonAnswer(clientStates(await source.telemetry())),
    '/bound-names.json': async () => jsonAnswer(boundNames(await source.telemetry())),
    '/config.json': () => jsonAnswer(config),
    '/metrics': () => ownMetrics(subject),
    [path]: async () => prometheusAnswer(linkerdPrometheus(await source.telemetry(), prefix)),
    '/admin/metrics.json': async ({ searchParams }) => metricsAnswer(await source.telemetry(), searchParams),
    '/admin/ping': () => textAnswer('pong'),
    '/admin/server_info': async () => jsonAnswer(serverInfo(await source.telemetry())),
    '/admin/style.css': () => ({ status: 200, contentType: 'text/css; charset=utf-8', body: adminStyle }),
    '/admin/dashboard.js': () => ({
      status: 200,
      contentType: 'text/javascript; charset=utf-8',
      body: dashboardScript,
    }),
  }
}

/** As JSON for who asks for it, in the query or by Accept. */
function requestRoutes({ source, config }: AdminSubject): Readonly<Record<string, AdminRoute>> {
  const isSampled = config.telemetry.some(({ kind }) => kind === 'io.l5d.recentRequests')
  return {
    '/requests': async ({ searchParams }, { accept }) => {
      const { recent } = await source.telemetry()
      const isJson = searchParams.has('json') || (accept.includes('application/json') && !accept.includes('text/html'))
      return isJson ? jsonAnswer({ sampled: isSampled, requests: recent }) : htmlAnswer(requestsPage(recent, isSampled))
    },
  }
}

/** The metrics of the process, then those of its routers. */
async function ownMetrics({ source, metrics }: AdminSubject): Promise<AdminAnswer> {
  const [{ contentType, body }, snapshot] = await Promise.all([metrics.expose(), source.telemetry()])
  return { status: 200, contentType, body: body + proxySeries(snapshot) }
}

function prometheusAnswer(body: string): AdminAnswer {
  return { status: 200, contentType: prometheusContentType, body }
}

/** `?pretty`, `?tree`, `?q=rt/http/service`, as in linkerd; a flag may stand alone or as `=true`. */
function metricsAnswer(snapshot: TelemetrySnapshot, query: URLSearchParams): AdminAnswer {
  const isOn = (flag: string): boolean => query.has(flag) && !['0', 'false'].includes(query.get(flag) ?? '')
  const body = metricsJson(snapshot, { isPretty: isOn('pretty'), isTree: isOn('tree'), query: query.get('q') ?? '' })
  return { status: 200, contentType: 'application/json', body: `${body}\n` }
}

function serverInfo({ at, startedAt, processes }: TelemetrySnapshot): object {
  return {
    name: 'nameplane proxy',
    version,
    node: process.version,
    pid: process.pid,
    processes,
    start_time: isoTime(startedAt),
    uptime: at - startedAt,
  }
}
