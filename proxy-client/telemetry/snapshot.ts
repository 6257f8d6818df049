// What the telemetry of a process is at one moment, as plain data: exports are made of it, it goes from process to process as
// JSON, and several are merged into one. Knows nothing of what counts.
import type { MemberReport } from '../balancer/balancer.ts'
import type { RecentRequest } from './recent-requests.ts'

export interface LatencySnapshot {
  /** Of all requests ever. */
  readonly sumMs: number
  /** How many requests ever, by the buckets of `coarseBounds`; not cumulated. */
  readonly coarse: readonly number[]
  /** Of this minute and the last: buckets in order, each followed by its count; empty ones left out. */
  readonly recent: readonly number[]
  readonly recentSumMs: number
  readonly recentMaxMs: number
  /** Requests that ended in that time; those whose client left are neither. */
  readonly recentSuccesses: number
  readonly recentFailures: number
}

/** Requests of one scope. `ended` counts by class of status (1xx first), in it by success, failure, abandoned. */
export interface RequestsSnapshot {
  readonly began: number
  readonly active: number
  readonly ended: readonly number[]
  /** `200` or, for others of a class, `4xx`; nought is left out. */
  readonly statuses: Readonly<Record<string, number>>
  readonly latency: LatencySnapshot
}

interface ScopeSnapshot {
  readonly name: string
  /** Whether it has series of its own in Prometheus' form; else it is part of `other` there. */
  readonly hasSeries: boolean
  /** Tells it from an earlier one of the same name in the same process. */
  readonly serial: number
  readonly requests: RequestsSnapshot
}

export interface ServerSnapshot {
  /** `address:port` */
  readonly name: string
  readonly connections: number
  readonly requests: RequestsSnapshot
}

export interface ServiceCounts {
  readonly retries: number
  readonly budgetExhausted: number
}

export interface ServiceSnapshot extends ScopeSnapshot, ServiceCounts {
  /** Retries that the budget allows now; absent where nothing is known of it. */
  readonly budget?: number
}

export interface ClientCounts {
  readonly requeues: number
  readonly requeueBudgetExhausted: number
  readonly removals: number
  readonly probes: number
  readonly revivals: number
}

/** What a client's balancer and pools are just now. */
export interface ClientGauges {
  readonly connections: number
  readonly endpoints: readonly MemberReport[]
}

export interface ClientSnapshot extends ScopeSnapshot, ClientCounts {
  /** Absent for `other`. */
  readonly now?: ClientGauges
}

/** A cache of bindings or of clients. */
export interface CacheSnapshot {
  readonly size: number
  readonly misses?: number
  readonly evicts: number
  readonly expires: number
}

export interface RouterSnapshot {
  readonly label: string
  readonly active: number
  readonly failures: Readonly<Record<string, number>>
  /** Of all clients that ever were. */
  readonly requeues: number
  readonly servers: readonly ServerSnapshot[]
  readonly services: readonly ServiceSnapshot[]
  readonly clients: readonly ClientSnapshot[]
  /** All without series of their own together, those that are gone included: never goes back. */
  readonly otherServices: ServiceSnapshot
  readonly otherClients: ClientSnapshot
  readonly bindings: CacheSnapshot
  readonly clientCache: CacheSnapshot
  /** Lines that the access log could not keep. */
  readonly logLinesDropped: number
}

export interface TelemetrySnapshot {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly startedAt: number
  readonly processes: number
  /** How long this minute and the last are, in milliseconds. */
  readonly recentMs: number
  readonly routers: readonly RouterSnapshot[]
  /** Newest first. */
  readonly recent: readonly RecentRequest[]
}
