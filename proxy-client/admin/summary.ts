// The figures that a person looks at, from a snapshot: what the dashboard and namerctl show. Plain JSON; absent where nothing is known.
import { availableCount, loadOf } from '../telemetry/endpoint-figures.ts'
import { quantileMs, recentCount, recentSuccessRate, resultCounts } from '../telemetry/latency-figures.ts'
import { mergeLatencies, withNamesOnce } from '../telemetry/merge-snapshots.ts'
import type {
  ClientSnapshot,
  LatencySnapshot,
  RequestsSnapshot,
  RouterSnapshot,
  ServerSnapshot,
  ServiceSnapshot,
  TelemetrySnapshot,
} from '../telemetry/snapshot.ts'
import { isoTime } from '../telemetry/time-text.ts'
import type { ReadyReport } from './ready.ts'

/** Rates and latencies are of this minute and the last, counts of all time. */
interface Figures {
  readonly requests: number
  readonly success: number
  readonly failures: number
  readonly active: number
  readonly perSecond: number
  /** 0 to 1; absent without requests. */
  readonly successRate?: number
  readonly p50Ms?: number
  readonly p95Ms?: number
  readonly p99Ms?: number
}

interface NamedFigures extends Figures {
  readonly name: string
}

export interface ServerFigures extends NamedFigures {
  readonly connections: number
}

export interface ServiceFigures extends NamedFigures {
  readonly retries: number
  readonly budgetExhausted: number
  readonly budget?: number
}

export interface ClientFigures extends NamedFigures {
  readonly requeues: number
  readonly removals: number
  readonly connections: number
  readonly endpoints: number
  readonly available: number
  readonly load: number
}

export interface RouterFigures extends Omit<Figures, 'active'> {
  readonly label: string
  readonly active: number
  /** By stage, answers of the proxy itself. */
  readonly proxyFailures: Readonly<Record<string, number>>
  readonly bindings: number
  readonly servers: readonly ServerFigures[]
  /** The busiest first. */
  readonly services: readonly ServiceFigures[]
  readonly clients: readonly ClientFigures[]
}

export interface Summary {
  readonly time: string
  readonly startedAt: string
  readonly uptimeMs: number
  readonly processes: number
  readonly ready: ReadyReport
  readonly routers: readonly RouterFigures[]
}

export function summaryOf(snapshot: TelemetrySnapshot, ready: ReadyReport): Summary {
  const { at, startedAt, processes, recentMs } = snapshot
  return {
    time: isoTime(at),
    startedAt: isoTime(startedAt),
    uptimeMs: at - startedAt,
    processes,
    ready,
    routers: snapshot.routers.map(router => routerFigures(withNamesOnce(router), recentMs)),
  }
}

function routerFigures(router: RouterSnapshot, recentMs: number): RouterFigures {
  const { label, servers, failures, bindings } = router
  const results = servers.map(({ requests }) => resultCounts(requests))
  return {
    label,
    requests: servers.reduce((sum, { requests }) => sum + requests.began, 0),
    success: results.reduce((sum, { success }) => sum + success, 0),
    failures: results.reduce((sum, { failure }) => sum + failure, 0),
    active: router.active,
    ...recentFigures(mergeLatencies(servers.map(({ requests }) => requests.latency)), recentMs),
    proxyFailures: failures,
    bindings: bindings.size,
    servers: servers.map(server => serverFigures(server, recentMs)),
    services: router.services.map(service => serviceFigures(service, recentMs)).toSorted(busiestFirst),
    clients: router.clients.map(client => clientFigures(client, recentMs)).toSorted(busiestFirst),
  }
}

function busiestFirst(a: NamedFigures, b: NamedFigures): number {
  return b.perSecond - a.perSecond || b.requests - a.requests || (a.name < b.name ? -1 : 1)
}

function figuresOf(requests: RequestsSnapshot, recentMs: number): Figures {
  const { success, failure } = resultCounts(requests)
  return {
    requests: requests.began,
    success,
    failures: failure,
    active: requests.active,
    ...recentFigures(requests.latency, recentMs),
  }
}

function recentFigures(latency: LatencySnapshot | undefined, recentMs: number) {
  if (latency === undefined) return { perSecond: 0 }
  const successRate = recentSuccessRate(latency)
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map(share => quantileMs(latency, share))
  return {
    perSecond: recentMs <= 0 ? 0 : (recentCount(latency) * 1000) / recentMs,
    ...(successRate !== undefined && { successRate }),
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p95Ms !== undefined && { p95Ms }),
    ...(p99Ms !== undefined && { p99Ms }),
  }
}

function serverFigures({ name, connections, requests }: ServerSnapshot, recentMs: number): ServerFigures {
  return { name, ...figuresOf(requests, recentMs), connections }
}

function serviceFigures(service: ServiceSnapshot, recentMs: number): ServiceFigures {
  const { name, requests, retries, budgetExhausted, budget } = service
  return {
    name,
    ...figuresOf(requests, recentMs),
    retries,
    budgetExhausted,
    ...(budget !== undefined && { budget }),
  }
}

function clientFigures({ name, requests, requeues, removals, now }: ClientSnapshot, recentMs: number): ClientFigures {
  return {
    name,
    ...figuresOf(requests, recentMs),
    requeues,
    removals,
    connections: now?.connections ?? 0,
    endpoints: now?.endpoints.length ?? 0,
    available: now === undefined ? 0 : availableCount(now),
    load: now === undefined ? 0 : loadOf(now),
  }
}
