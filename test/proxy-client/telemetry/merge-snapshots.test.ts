import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkerdPrometheus } from '../../../proxy-client/telemetry/linkerd-exports.ts'
import { countsOf, mergeSnapshots } from '../../../proxy-client/telemetry/merge-snapshots.ts'
import { proxySeries } from '../../../proxy-client/telemetry/proxy-series.ts'
import type { TelemetrySnapshot } from '../../../proxy-client/telemetry/snapshot.ts'
import { createTestMeter, metricsOf, type TestMeter } from './meter.fixture.ts'
import { readPrometheus, sampleValue } from './prometheus.fixture.ts'

const event = fc.record({
  worker: fc.nat(2),
  name: fc.constantFrom('a', 'b', 'c'),
  status: fc.constantFrom(200, 404, 503),
  result: fc.constantFrom('success' as const, 'failure' as const, 'abandoned' as const),
  ms: fc.double({ min: 0.01, max: 10_000, noNaN: true }),
})

function count(
  { meter }: TestMeter,
  { name, status, result, ms }: Omit<typeof event extends fc.Arbitrary<infer E> ? E : never, 'worker'>,
): void {
  for (const stats of [meter.server('127.0.0.1:4140'), meter.service(`/svc/${name}`), meter.client(`/#/${name}`)]) {
    stats.began()
    stats.ended(status, result, ms)
  }
  if (status === 503) meter.failed('connect')
}

/** What counts, without what adds up to another figure or order for several processes. */
function comparable(snapshot: TelemetrySnapshot): object {
  const gauges = /bindcache|connections|retries\/budget$|_ms\.(sum|avg)$/
  const metrics = Object.entries(metricsOf(snapshot, ''))
  return Object.fromEntries(metrics.filter(([name]) => !gauges.test(name)))
}

describe('merged snapshots', () => {
  it('count what one process would have counted', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 1, maxLength: 40 }), events => {
        const alone = createTestMeter()
        const workers = [createTestMeter(), createTestMeter(), createTestMeter()]
        for (const { worker, ...each } of events) {
          count(alone, each)
          const at = workers[worker]
          if (at !== undefined) count(at, each)
        }
        const merged = mergeSnapshots(workers.map(worker => worker.snapshot()))
        expect(merged && comparable(merged)).toEqual(comparable(alone.snapshot()))
      }),
      { seed: 4, numRuns: 60 },
    )
  })

  it('are exported like any other', () => {
    const [a, b] = [createTestMeter(), createTestMeter()]
    for (const each of [a, b]) count(each, { name: 'a', status: 200, result: 'success', ms: 3 })
    const merged = mergeSnapshots([a.snapshot(), b.snapshot()])
    if (merged === undefined) throw new Error('there are two')
    const samples = readPrometheus(proxySeries(merged))
    expect(sampleValue(samples, 'nameplane_proxy_service_request_seconds_count', { service: '/svc/a' })).toBe(2)
    expect(sampleValue(samples, 'nameplane_proxy_server_connections')).toBe(6)
    expect(readPrometheus(linkerdPrometheus(merged, '')).length).toBeGreaterThan(20)
    expect(merged.processes).toBe(2)
  })

  it('count a name once, whether each process has series for it or not', () => {
    const [has, lacks] = [createTestMeter(), createTestMeter({ maxSeries: 1 })]
    count(lacks, { name: 'b', status: 200, result: 'success', ms: 3 })
    for (const each of [has, lacks]) count(each, { name: 'a', status: 200, result: 'success', ms: 3 })
    const merged = mergeSnapshots([has.snapshot(), lacks.snapshot()])
    if (merged === undefined) throw new Error('there are two')
    const samples = readPrometheus(proxySeries(merged))
    const value = (service: string) =>
      sampleValue(samples, 'nameplane_proxy_service_requests_total', { service, result: 'success' })
    expect([value('/svc/b'), value('/svc/a'), value('other')]).toEqual([1, 1, 1])
    expect(metricsOf(merged, 'rt/http/service/svc/a')).toMatchObject({ 'rt/http/service/svc/a/requests': 2 })
  })

  it('show an endpoint as open only when each process uses it, and its load as the sum', () => {
    const states = ['open', 'dead', 'open'] as const
    const merged = mergeSnapshots(
      states.map((state, i) => {
        const endpoints = [{ address: '10.0.0.1:80', weight: 1, load: i, state }]
        const test = createTestMeter({ clients: { '/#/a': { connections: 1, endpoints } } })
        count(test, { name: 'a', status: 200, result: 'success', ms: 3 })
        return test.snapshot()
      }),
    )
    expect(merged?.routers[0]?.clients[0]?.now).toEqual({
      connections: 3,
      endpoints: [{ address: '10.0.0.1:80', weight: 1, load: 3, state: 'dead' }],
    })
  })

  it('show an endpoint as slow as it is to whom it is slowest, whoever has not used it yet', () => {
    const merged = mergeSnapshots(
      [undefined, 4, 9, 2].map(latencyMs => {
        const endpoint = { address: '10.0.0.1:80', weight: 1, load: 0, state: 'open' as const }
        const endpoints = [{ ...endpoint, ...(latencyMs !== undefined && { latencyMs }) }]
        const test = createTestMeter({ clients: { '/#/a': { connections: 1, endpoints } } })
        count(test, { name: 'a', status: 200, result: 'success', ms: 3 })
        return test.snapshot()
      }),
    )
    expect(merged?.routers[0]?.clients[0]?.now?.endpoints).toMatchObject([{ latencyMs: 9 }])
  })

  it('keep the counts of a process that is gone, and nothing of what it held', () => {
    const gone = createTestMeter({ clients: { '/#/a': { connections: 1, endpoints: [] } } })
    count(gone, { name: 'a', status: 200, result: 'success', ms: 3 })
    gone.meter.server('127.0.0.1:4140').began()
    const [router] = countsOf(gone.snapshot()).routers
    expect(router?.servers[0]).toMatchObject({ connections: 0, requests: { began: 2, active: 0 } })
    expect(router?.clients[0]?.now).toBeUndefined()
    expect(router?.active).toBe(0)
  })

  it('are none when there are none', () => {
    expect(mergeSnapshots([])).toBeUndefined()
  })
})
