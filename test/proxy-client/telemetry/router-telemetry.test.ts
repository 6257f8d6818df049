import { describe, expect, it } from 'vitest'
import { linkerdPrometheus } from '../../../proxy-client/telemetry/linkerd-exports.ts'
import { proxySeries } from '../../../proxy-client/telemetry/proxy-series.ts'
import { createTestMeter, metricsOf, type TestMeter } from './meter.fixture.ts'
import { readPrometheus, sampleValue } from './prometheus.fixture.ts'

const statuses = [101, 200, 201, 302, 404, 429, 500, 503]

/** A name that everything happens to. */
function useName({ meter }: TestMeter, name: string, seen = statuses): void {
  const [service, client] = [meter.service(`/svc/${name}`), meter.client(`/#/${name}`)]
  for (const status of seen) {
    for (const result of ['success', 'failure', 'abandoned'] as const) {
      for (const stats of [service, client]) {
        stats.began()
        stats.ended(status, result, 5)
      }
    }
  }
  service.retried()
  client.requeued()
}

const perName = statuses.length * 3

describe('the scopes of a router', () => {
  it('O4: are fewer than 3,000 series for 20,000 names, however these go', () => {
    const now = { connections: 1, endpoints: [] }
    const clients = new Proxy({}, { get: () => now })
    const test = createTestMeter({ clients })
    for (let i = 0; i < 20_000; i++) {
      // As many as the caches keep; each further one takes the place of an old one.
      test.meter.releaseService(`/svc/name-${i - 1_000}`)
      test.meter.releaseClient(`/#/name-${i - 1_000}`)
      useName(test, `name-${i}`, i < 1_000 || i >= 19_000 ? statuses : [200])
    }
    const snapshot = test.snapshot()
    expect(snapshot.routers[0]?.services.length).toBe(1_000)
    const ours = readPrometheus(proxySeries(snapshot))
    expect(ours.length).toBeGreaterThan(1_000)
    expect(ours.length).toBeLessThan(3_000)
    expect(readPrometheus(linkerdPrometheus(snapshot, '')).length).toBeLessThan(3_000)
    const total = ours
      .filter(({ name }) => name === 'nameplane_proxy_service_requests_total')
      .reduce((sum, { value }) => sum + value, 0)
    expect(total).toBeGreaterThan(19_000 * 3)
  })

  it('have names of their own in metrics.json as long as the caches keep them', () => {
    const test = createTestMeter({ maxSeries: 1 })
    useName(test, 'a')
    useName(test, 'b')
    const metrics = metricsOf(test.snapshot(), 'rt/http/service')
    expect(metrics).toMatchObject({
      'rt/http/service/svc/a/requests': perName,
      'rt/http/service/svc/b/requests': perName,
    })
  })

  it('share one beyond the limit, whose counts never go back', () => {
    const test = createTestMeter({ maxSeries: 1, maxServices: 2 })
    const other = (): number | undefined =>
      sampleValue(readPrometheus(proxySeries(test.snapshot())), 'nameplane_proxy_service_requests_total', {
        service: 'other',
        result: 'success',
      })
    for (const name of ['a', 'b', 'c']) useName(test, name)
    expect(other()).toBe(2 * statuses.length)
    test.meter.releaseService('/svc/a')
    test.meter.releaseService('/svc/b')
    expect(other()).toBe(2 * statuses.length)
    useName(test, 'd')
    expect(other()).toBe(2 * statuses.length)
    expect(test.snapshot().routers[0]?.services.map(({ name, hasSeries }) => [name, hasSeries])).toEqual([
      ['/svc/d', true],
    ])
  })

  it('stay until every holder has given them back', () => {
    const test = createTestMeter()
    useName(test, 'a')
    useName(test, 'a')
    test.meter.releaseService('/svc/a')
    expect(test.snapshot().routers[0]?.services.length).toBe(1)
    test.meter.releaseService('/svc/a')
    test.meter.releaseService('/svc/a')
    expect(test.snapshot().routers[0]?.services.length).toBe(0)
  })

  it('count made-up statuses by their class alone', () => {
    const { meter, snapshot } = createTestMeter()
    const stats = meter.server('127.0.0.1:1')
    for (const status of [0, 99, 299, 477, 599, 600, 999, Number.NaN, 204]) {
      stats.began()
      stats.ended(status, 'success', 1)
    }
    expect(snapshot().routers[0]?.servers[0]?.requests.statuses).toEqual({
      '2xx': 1,
      '4xx': 1,
      '5xx': 6,
      '204': 1,
    })
  })

  it('survive JSON', () => {
    const test = createTestMeter()
    useName(test, 'a')
    const snapshot = test.snapshot()
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot)
  })
})
