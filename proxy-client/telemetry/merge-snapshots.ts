// One snapshot out of those of several processes. Counts and loads add up; what all see alike, such as who the endpoints are, does not.
import type { MemberReport } from '../balancer/balancer.ts'
import type {
  CacheSnapshot,
  ClientCounts,
  ClientGauges,
  ClientSnapshot,
  LatencySnapshot,
  RequestsSnapshot,
  RouterSnapshot,
  ServerSnapshot,
  ServiceSnapshot,
  TelemetrySnapshot,
} from './snapshot.ts'

/**
 * Undefined for none. Routers are matched by label, scopes by name; one that has series of its own in some processes and is
 * part of `other` in the rest stands twice, for each its counts.
 */
export function mergeSnapshots(snapshots: readonly TelemetrySnapshot[]): TelemetrySnapshot | undefined {
  return reduced(snapshots, (a, b) => ({
    at: Math.max(a.at, b.at),
    startedAt: Math.min(a.startedAt, b.startedAt),
    processes: a.processes + b.processes,
    recentMs: Math.max(a.recentMs, b.recentMs),
    routers: mergeBy(a.routers, b.routers, ({ label }) => label, mergeRouters),
    recent: [...a.recent, ...b.recent].toSorted((one, other) => other.startedAt - one.startedAt),
  }))
}

/** The router with each name once, for who asks by name and not by series. */
export function withNamesOnce(router: RouterSnapshot): RouterSnapshot {
  return {
    ...router,
    services: mergeBy([], router.services, nameOf, mergeServices),
    clients: mergeBy([], router.clients, nameOf, mergeClients),
  }
}

/** Of one scope in snapshots that are merged. */
export function scopeKey({ name, hasSeries }: { readonly name: string; readonly hasSeries: boolean }): string {
  return `${hasSeries} ${name}`
}

/** What a process has counted, when it is gone itself: nothing in progress, nothing open, nothing recent. */
export function countsOf(snapshot: TelemetrySnapshot): TelemetrySnapshot {
  const idle = <S extends { readonly requests: RequestsSnapshot }>(scope: S): S => ({
    ...scope,
    requests: { ...scope.requests, active: 0, latency: { ...scope.requests.latency, ...nothingRecent } },
  })
  const client = ({ now: _, ...counts }: ClientSnapshot): ClientSnapshot => idle(counts)
  const service = ({ budget: _, ...counts }: ServiceSnapshot): ServiceSnapshot => idle(counts)
  return {
    ...snapshot,
    processes: 0,
    routers: snapshot.routers.map(router => ({
      ...router,
      active: 0,
      servers: router.servers.map(server => ({ ...idle(server), connections: 0 })),
      services: router.services.map(service),
      clients: router.clients.map(client),
      otherServices: service(router.otherServices),
      otherClients: client(router.otherClients),
      bindings: { ...router.bindings, size: 0 },
      clientCache: { ...router.clientCache, size: 0 },
    })),
  }
}

/** The latencies of several scopes together. */
export function mergeLatencies(latencies: readonly LatencySnapshot[]): LatencySnapshot | undefined {
  return reduced(latencies, addLatencies)
}

const nothingRecent = { recent: [], recentSumMs: 0, recentMaxMs: 0, recentSuccesses: 0, recentFailures: 0 }

function mergeRouters(a: RouterSnapshot, b: RouterSnapshot): RouterSnapshot {
  return {
    label: a.label,
    active: a.active + b.active,
    failures: addRecords(a.failures, b.failures),
    requeues: a.requeues + b.requeues,
    servers: mergeBy(a.servers, b.servers, nameOf, mergeServers),
    services: mergeBy(a.services, b.services, scopeKey, mergeServices),
    clients: mergeBy(a.clients, b.clients, scopeKey, mergeClients),
    otherServices: mergeServices(a.otherServices, b.otherServices),
    otherClients: mergeClients(a.otherClients, b.otherClients),
    bindings: addCaches(a.bindings, b.bindings),
    clientCache: addCaches(a.clientCache, b.clientCache),
    logLinesDropped: a.logLinesDropped + b.logLinesDropped,
  }
}

function mergeServers(a: ServerSnapshot, b: ServerSnapshot): ServerSnapshot {
  return { name: a.name, connections: a.connections + b.connections, requests: addRequests(a.requests, b.requests) }
}

function mergeServices(a: ServiceSnapshot, b: ServiceSnapshot): ServiceSnapshot {
  const budget = addOptional(a.budget, b.budget)
  return {
    name: a.name,
    hasSeries: a.hasSeries || b.hasSeries,
    serial: a.serial,
    requests: addRequests(a.requests, b.requests),
    retries: a.retries + b.retries,
    budgetExhausted: a.budgetExhausted + b.budgetExhausted,
    ...(budget !== undefined && { budget }),
  }
}

function mergeClients(a: ClientSnapshot, b: ClientSnapshot): ClientSnapshot {
  const now = a.now === undefined || b.now === undefined ? (a.now ?? b.now) : mergeGauges(a.now, b.now)
  return {
    name: a.name,
    hasSeries: a.hasSeries || b.hasSeries,
    serial: a.serial,
    requests: addRequests(a.requests, b.requests),
    ...addClientCounts(a, b),
    ...(now !== undefined && { now }),
  }
}

function mergeGauges(a: ClientGauges, b: ClientGauges): ClientGauges {
  return {
    connections: a.connections + b.connections,
    endpoints: mergeBy(a.endpoints, b.endpoints, ({ address }) => address, mergeMembers),
  }
}

/** An endpoint is shown as open only when every process uses it, and as slow as it is to whom it is slowest. */
function mergeMembers(a: MemberReport, b: MemberReport): MemberReport {
  const latencyMs =
    a.latencyMs === undefined || b.latencyMs === undefined
      ? (a.latencyMs ?? b.latencyMs)
      : Math.max(a.latencyMs, b.latencyMs)
  return {
    address: a.address,
    weight: Math.max(a.weight, b.weight),
    load: a.load + b.load,
    state: a.state === 'open' ? b.state : a.state,
    ...(latencyMs !== undefined && { latencyMs }),
  }
}

function addRequests(a: RequestsSnapshot, b: RequestsSnapshot): RequestsSnapshot {
  return {
    began: a.began + b.began,
    active: a.active + b.active,
    ended: addLists(a.ended, b.ended),
    statuses: addRecords(a.statuses, b.statuses),
    latency: addLatencies(a.latency, b.latency),
  }
}

function addLatencies(a: LatencySnapshot, b: LatencySnapshot): LatencySnapshot {
  return {
    sumMs: a.sumMs + b.sumMs,
    coarse: addLists(a.coarse, b.coarse),
    recent: addBuckets(a.recent, b.recent),
    recentSumMs: a.recentSumMs + b.recentSumMs,
    recentMaxMs: Math.max(a.recentMaxMs, b.recentMaxMs),
    recentSuccesses: a.recentSuccesses + b.recentSuccesses,
    recentFailures: a.recentFailures + b.recentFailures,
  }
}

/** Both hold buckets in order, each followed by its count. */
function addBuckets(a: readonly number[], b: readonly number[]): readonly number[] {
  const sum: number[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const [one, other] = [a[i] ?? Number.POSITIVE_INFINITY, b[j] ?? Number.POSITIVE_INFINITY]
    sum.push(Math.min(one, other), (one <= other ? (a[i + 1] ?? 0) : 0) + (other <= one ? (b[j + 1] ?? 0) : 0))
    if (one <= other) i += 2
    if (other <= one) j += 2
  }
  return sum
}

function addClientCounts(a: ClientCounts, b: ClientCounts): ClientCounts {
  return {
    requeues: a.requeues + b.requeues,
    requeueBudgetExhausted: a.requeueBudgetExhausted + b.requeueBudgetExhausted,
    removals: a.removals + b.removals,
    probes: a.probes + b.probes,
    revivals: a.revivals + b.revivals,
  }
}

function addCaches(a: CacheSnapshot, b: CacheSnapshot): CacheSnapshot {
  const misses = addOptional(a.misses, b.misses)
  return {
    size: a.size + b.size,
    evicts: a.evicts + b.evicts,
    expires: a.expires + b.expires,
    ...(misses !== undefined && { misses }),
  }
}

function addLists(a: readonly number[], b: readonly number[]): readonly number[] {
  return a.map((one, i) => one + (b[i] ?? 0))
}

function addRecords(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...a }
  for (const [key, count] of Object.entries(b)) sum[key] = (sum[key] ?? 0) + count
  return sum
}

function addOptional(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : a + b
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}

function mergeBy<T, K>(a: readonly T[], b: readonly T[], keyOf: (one: T) => K, merge: (a: T, b: T) => T): readonly T[] {
  const merged = new Map(a.map(one => [keyOf(one), one]))
  for (const one of b) {
    const known = merged.get(keyOf(one))
    merged.set(keyOf(one), known === undefined ? one : merge(known, one))
  }
  return [...merged.values()]
}

function reduced<T>(list: readonly T[], merge: (a: T, b: T) => T): T | undefined {
  const [first, ...rest] = list
  return first === undefined ? undefined : rest.reduce(merge, first)
}
