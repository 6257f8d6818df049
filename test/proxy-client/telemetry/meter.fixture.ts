// A router's meter on a clock that stands still, and the parts of a record that no test cares about.
import { metricsJson } from '../../../proxy-client/telemetry/linkerd-exports.ts'
import { Minutes } from '../../../proxy-client/telemetry/minutes.ts'
import {
  createRouterTelemetry,
  type RouterMeter,
  type RouterReading,
  type RouterTelemetryOptions,
} from '../../../proxy-client/telemetry/router-telemetry.ts'
import type { ClientGauges, TelemetrySnapshot } from '../../../proxy-client/telemetry/snapshot.ts'
import type { RequestRecord } from '../../../proxy-client/telemetry/stats.ts'
import { prometheusOf } from '../../../proxy-client/telemetry/telemetry-config.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

export interface TestMeter {
  readonly clock: FakeClock
  readonly meter: RouterMeter
  /** The whole of it, as if the process had this router alone. */
  snapshot(): TelemetrySnapshot
}

export interface TestMeterOptions extends Partial<Omit<RouterTelemetryOptions, 'minutes'>> {
  readonly label?: string
  readonly clients?: Readonly<Record<string, ClientGauges>>
}

export function createTestMeter({ label = 'http', clients = {}, ...options }: TestMeterOptions = {}): TestMeter {
  const clock = new FakeClock()
  const minutes = new Minutes(clock)
  const meter = createRouterTelemetry(label, {
    minutes,
    maxServices: 1_000,
    maxClients: 1_000,
    maxSeries: prometheusOf([]).maxScopes,
    ...options,
  })
  const reading: RouterReading = {
    connections: () => 3,
    budget: () => 100,
    client: id => clients[id],
    bindings: { size: 2, misses: 5, evicts: 1, expires: 2 },
    clientCache: { size: 1, misses: 4, evicts: 0, expires: 0 },
  }
  const startedAt = clock.now()
  return {
    clock,
    meter,
    snapshot: () => ({
      at: clock.now(),
      startedAt,
      processes: 1,
      recentMs: minutes.recentMs,
      routers: [meter.snapshot(reading)],
      recent: options.recent?.list() ?? [],
    }),
  }
}

/** What metrics.json holds under a scope. */
export function metricsOf(snapshot: TelemetrySnapshot, query = '', isTree = false): Record<string, unknown> {
  return JSON.parse(metricsJson(snapshot, { isPretty: isTree, isTree, query }))
}

/** A request of a plain kind. */
export function recordWith(parts: Partial<RequestRecord> = {}): RequestRecord {
  return {
    startedAt: 1_700_000_000_000,
    ms: 12.345,
    from: '10.0.0.9:51000',
    method: 'GET',
    target: '/',
    host: 'web',
    minor: 1,
    status: 200,
    result: 'success',
    bytesIn: 0,
    bytesOut: 42,
    attempts: 1,
    ...parts,
  }
}
