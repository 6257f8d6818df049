// Counts what one router tells, and gives it as a snapshot. Knows no form of export.
import type { Stage } from '../failure.ts'
import type { Minutes } from './minutes.ts'
import type { RecentRequests } from './recent-requests.ts'
import { ClientCounter, RequestCounter, type RequeueTotal, ServiceCounter } from './request-counter.ts'
import { type Scope, Scopes } from './scopes.ts'
import type { CacheSnapshot, ClientGauges, ClientSnapshot, RouterSnapshot, ServiceSnapshot } from './snapshot.ts'
import type { ClientStats, RequestRecord, RequestStats, RouterTelemetry, ServiceStats } from './stats.ts'

/** Takes a line for each request. */
export interface RecordSink {
  write(record: RequestRecord): void
  /** Lines that were not kept. */
  readonly dropped: number
}

export interface RouterTelemetryOptions {
  readonly minutes: Minutes
  /** Services, and clients, with figures of their own at most. */
  readonly maxServices: number
  readonly maxClients: number
  /** Those of either that have series of their own in Prometheus' form. */
  readonly maxSeries: number
  readonly recent?: RecentRequests
  readonly accessLog?: RecordSink
}

/** What only the router knows; read when somebody asks. */
export interface RouterReading {
  /** Open connections of the listener `address:port`. */
  connections(server: string): number
  /** What a service's retry budget holds. */
  budget(service: string): number | undefined
  client(id: string): ClientGauges | undefined
  readonly bindings: CacheSnapshot
  readonly clientCache: CacheSnapshot
}

/** A telemetry that can be read. */
export interface RouterMeter extends RouterTelemetry {
  snapshot(reading: RouterReading): RouterSnapshot
}

export function createRouterTelemetry(label: string, options: RouterTelemetryOptions): RouterMeter {
  return new Meter(label, options)
}

class Meter implements RouterMeter {
  readonly #label: string
  readonly #minutes: Minutes
  readonly #recent: RecentRequests | undefined
  readonly #accessLog: RecordSink | undefined
  readonly #servers = new Map<string, RequestCounter>()
  readonly #services: Scopes<ServiceCounter>
  readonly #clients: Scopes<ClientCounter>
  readonly #total: RequeueTotal = { requeues: 0 }
  readonly #failures = new Map<Stage, number>()

  constructor(label: string, { minutes, recent, accessLog, ...limits }: RouterTelemetryOptions) {
    this.#label = label
    this.#minutes = minutes
    this.#recent = recent
    this.#accessLog = accessLog
    this.#services = new Scopes({
      max: limits.maxServices,
      maxSeries: limits.maxSeries,
      create: shared => new ServiceCounter(minutes, shared),
    })
    this.#clients = new Scopes({
      max: limits.maxClients,
      maxSeries: limits.maxSeries,
      create: shared => new ClientCounter(minutes, this.#total, shared),
    })
  }

  get wantsRecords(): boolean {
    return this.#accessLog !== undefined || this.#recent?.draws() === true
  }

  record(record: RequestRecord): void {
    if (this.#accessLog === undefined) {
      // It was drawn when wantsRecords was asked.
      this.#recent?.add(this.#label, record)
      return
    }
    this.#accessLog.write(record)
    if (this.#recent?.draws()) this.#recent.add(this.#label, record)
  }

  server(address: string): RequestStats {
    const known = this.#servers.get(address)
    if (known !== undefined) return known
    const made = new RequestCounter(this.#minutes)
    this.#servers.set(address, made)
    return made
  }

  service(path: string): ServiceStats {
    return this.#services.acquire(path)
  }

  client(id: string): ClientStats {
    return this.#clients.acquire(id)
  }

  releaseService(path: string): void {
    this.#services.release(path)
  }

  releaseClient(id: string): void {
    this.#clients.release(id)
  }

  failed(stage: Stage): void {
    this.#failures.set(stage, (this.#failures.get(stage) ?? 0) + 1)
  }

  snapshot(reading: RouterReading): RouterSnapshot {
    const servers = Array.from(this.#servers, ([name, counter]) => ({
      name,
      connections: reading.connections(name),
      requests: counter.requests(),
    }))
    return {
      label: this.#label,
      active: servers.reduce((sum, { requests }) => sum + requests.active, 0),
      failures: Object.fromEntries(this.#failures),
      requeues: this.#total.requeues,
      servers,
      services: this.#services.list().map(scope => serviceSnapshot(scope, reading.budget(scope.name))),
      clients: this.#clients.list().map(scope => clientSnapshot(scope, reading.client(scope.name))),
      otherServices: serviceSnapshot({ ...other, counter: this.#services.other }),
      otherClients: clientSnapshot({ ...other, counter: this.#clients.other }),
      bindings: reading.bindings,
      clientCache: reading.clientCache,
      logLinesDropped: this.#accessLog?.dropped ?? 0,
    }
  }
}

const other = { name: 'other', hasSeries: true, serial: 0 }

function serviceSnapshot(
  { name, hasSeries, serial, counter }: Scope<ServiceCounter>,
  budget?: number,
): ServiceSnapshot {
  return {
    name,
    hasSeries,
    serial,
    requests: counter.requests(),
    ...counter.counts(),
    ...(budget !== undefined && { budget }),
  }
}

function clientSnapshot(
  { name, hasSeries, serial, counter }: Scope<ClientCounter>,
  now?: ClientGauges,
): ClientSnapshot {
  return {
    name,
    hasSeries,
    serial,
    requests: counter.requests(),
    ...counter.counts(),
    ...(now !== undefined && { now }),
  }
}
