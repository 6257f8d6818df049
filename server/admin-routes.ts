// The server's own pages on the admin port: liveness, readiness with reasons, metrics, and the state of every source.
import type { ConnectionsReport } from '../api/push-streams.ts'
import { type AdminRoute, jsonAnswer, textAnswer } from '../runtime/admin-server.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Kernel, SourceReport } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'
import type { GrpcStreams } from './grpc-streams.ts'
import type { Readiness } from './readiness.ts'

export interface AdminPorts {
  readonly kernel: Kernel
  readonly metrics: Metrics
  readonly readiness: Readiness
  readonly streams: Pick<GrpcStreams, 'reports'>
  readonly clock: Clock
  readonly version: string
  readonly startedAt: number
}

export function adminRoutes({
  kernel,
  metrics,
  readiness,
  streams,
  clock,
  version,
  startedAt,
}: AdminPorts): Readonly<Record<string, AdminRoute>> {
  const exposition: AdminRoute = async () => {
    const { contentType, body } = await metrics.expose()
    return { status: 200, contentType, body }
  }
  return {
    '/live': () => textAnswer('live\n'),
    '/ready': () => {
      const report = readiness.report()
      return jsonAnswer(report, report.ready ? 200 : 503)
    },
    '/metrics': exposition,
    '/admin/metrics/prometheus': exposition,
    '/admin/ping': () => textAnswer('pong'),
    '/state': () =>
      jsonAnswer({
        version,
        startedAt: instant(startedAt),
        uptimeMs: clock.now() - startedAt,
        ...kernel.counts(),
        grpc: streams.reports().map(connectionsState),
        sources: kernel.sources().map(source => sourceState(source, clock.now())),
      }),
  }
}

function instant(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}

function connectionsState({ busiest, ...counts }: ConnectionsReport): object {
  return { ...counts, busiest: busiest.map(({ since, ...rest }) => ({ ...rest, since: instant(since) })) }
}

/** ageMs is the time since the backend was last heard from. */
function sourceState(source: SourceReport, now: number): object {
  const { contactAt, openedAt, changedAt, failingSince, retryAt, ...rest } = source
  return {
    ...rest,
    openedAt: instant(openedAt),
    lastChangeAt: instant(changedAt),
    lastContactAt: instant(contactAt),
    ageMs: now - (contactAt ?? openedAt),
    failingSince: instant(failingSince),
    nextRetryAt: instant(retryAt),
  }
}
