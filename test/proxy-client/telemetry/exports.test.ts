import { describe, expect, it } from 'vitest'
import { linkerdPrometheus } from '../../../proxy-client/telemetry/linkerd-exports.ts'
import { proxySeries } from '../../../proxy-client/telemetry/proxy-series.ts'
import { createTestMeter, metricsOf } from './meter.fixture.ts'
import { readPrometheus, sampleValue } from './prometheus.fixture.ts'

const hostile = '/svc/a"b\\c\nd{}=,é'

/** One request through everything that failed once, and one that waits. */
function createUsedMeter(service = '/svc/web') {
  const test = createTestMeter({
    clients: {
      '/#/web': {
        connections: 4,
        endpoints: [
          { address: '10.0.0.1:80', weight: 1, load: 2, state: 'open' },
          { address: '10.0.0.2:80', weight: 1, load: 0, state: 'dead' },
        ],
      },
    },
  })
  const { meter } = test
  const [server, name, client] = [meter.server('127.0.0.1:4140'), meter.service(service), meter.client('/#/web')]
  for (const stats of [server, name, client]) {
    stats.began()
    stats.began()
    stats.began()
    stats.ended(200, 'success', 3)
    stats.ended(503, 'failure', 40)
  }
  name.retried()
  name.budgetExhausted()
  client.requeued()
  client.removed()
  client.probed()
  client.revived()
  meter.failed('bind')
  return test
}

describe('our metrics', () => {
  it('tell each scope what happened in it', () => {
    const samples = readPrometheus(proxySeries(createUsedMeter().snapshot()))
    const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
      sampleValue(samples, `nameplane_proxy_${name}`, labels)
    expect(value('requests_total', { status: '2xx', result: 'success' })).toBe(1)
    expect(value('requests_total', { status: '5xx', result: 'failure' })).toBe(1)
    expect(value('failures_total', { router: 'http', stage: 'bind' })).toBe(1)
    expect(value('requests_active')).toBe(1)
    expect(value('request_seconds_bucket', { le: '0.005' })).toBe(1)
    expect(value('request_seconds_bucket', { le: '+Inf' })).toBe(2)
    expect(value('request_seconds_sum')).toBeCloseTo(0.043)
    expect(value('server_connections', { server: '127.0.0.1:4140' })).toBe(3)
    expect(value('service_requests_total', { service: '/svc/web', result: 'failure' })).toBe(1)
    expect(value('service_responses_total', { service: '/svc/web', status: '5xx' })).toBe(1)
    expect(value('service_retries_total', { service: '/svc/web' })).toBe(1)
    expect(value('service_retries_exhausted_total', { service: '/svc/web' })).toBe(1)
    expect(value('service_retry_budget', { service: '/svc/web' })).toBe(100)
    expect(value('client_requests_total', { client: '/#/web', result: 'success' })).toBe(1)
    expect(value('client_request_seconds', { client: '/#/web', quantile: '0.99' })).toBe(0.04)
    expect(value('client_endpoints', { client: '/#/web' })).toBe(2)
    expect(value('client_endpoints_available', { client: '/#/web' })).toBe(1)
    expect(value('client_load', { client: '/#/web' })).toBe(2)
    expect(value('client_connections', { client: '/#/web' })).toBe(4)
    for (const name of ['requeues', 'removals', 'probes', 'revivals'])
      expect([name, value(`client_${name}_total`, { client: '/#/web' })]).toEqual([name, 1])
    expect(value('requeues_total')).toBe(1)
    expect(value('cache_expired_total', { cache: 'bindings' })).toBe(2)
  })

  it('keep a name whole, whatever is in it', () => {
    const snapshot = createUsedMeter(hostile).snapshot()
    const samples = readPrometheus(proxySeries(snapshot))
    expect(sampleValue(samples, 'nameplane_proxy_service_requests_active', { service: hostile })).toBe(1)
    const linkerd = readPrometheus(linkerdPrometheus(snapshot, ''))
    expect(sampleValue(linkerd, 'rt:service:requests', { service: hostile.slice(1) })).toBe(2)
  })
})

describe("linkerd's metrics", () => {
  it('have its names and labels in Prometheus form', () => {
    const samples = readPrometheus(linkerdPrometheus(createUsedMeter().snapshot(), ''))
    const shown = samples.map(({ name, labels, value }) => `${name} ${JSON.stringify(labels)} ${value}`)
    const expected = [
      'rt:server:requests {"rt":"http","server":"127.0.0.1/4140"} 2',
      'rt:server:status:5XX {"rt":"http","server":"127.0.0.1/4140"} 1',
      'rt:server:request_latency_ms {"rt":"http","server":"127.0.0.1/4140","quantile":"0.9999"} 40',
      'rt:server:request_latency_ms_count {"rt":"http","server":"127.0.0.1/4140"} 2',
      'rt:service:success {"rt":"http","service":"svc/web"} 1',
      'rt:service:retries:budget_exhausted {"rt":"http","service":"svc/web"} 1',
      'rt:client:failures {"rt":"http","client":"#/web"} 1',
      'rt:client:loadbalancer:available {"rt":"http","client":"#/web"} 1',
      'rt:client:failure_accrual:removals {"rt":"http","client":"#/web"} 1',
      'rt:client:retries:requeues {"rt":"http","client":"#/web"} 1',
      'rt:bindcache:path:expires {"rt":"http"} 2',
    ]
    expect(shown).toEqual(expect.arrayContaining(expected))
  })

  it('stand under a prefix where one is configured', () => {
    const samples = readPrometheus(linkerdPrometheus(createUsedMeter().snapshot(), 'linkerd:'))
    expect(samples.every(({ name }) => name.startsWith('linkerd:rt:'))).toBe(true)
  })

  it('are flat keys in metrics.json, statistics of the last minutes among them', () => {
    const metrics = metricsOf(createUsedMeter().snapshot(), '')
    expect(metrics).toMatchObject({
      'rt/http/server/127.0.0.1/4140/connections': 3,
      'rt/http/server/127.0.0.1/4140/requests': 2,
      'rt/http/server/127.0.0.1/4140/status/200': 1,
      'rt/http/service/svc/web/request_latency_ms.count': 2,
      'rt/http/service/svc/web/request_latency_ms.avg': 21.5,
      'rt/http/service/svc/web/request_latency_ms.max': 40,
      'rt/http/service/svc/web/request_latency_ms.p99': 40,
      'rt/http/service/svc/web/retries/total': 1,
      'rt/http/service/svc/web/retries/budget': 100,
      'rt/http/client/#/web/loadbalancer/size': 2,
      'rt/http/client/#/web/failure_accrual/revivals': 1,
      'rt/http/errors/bind': 1,
    })
  })

  it('are a tree on demand, and only what lies under a scope', () => {
    const snapshot = createUsedMeter().snapshot()
    expect(metricsOf(snapshot, '', true)).toMatchObject({
      rt: { http: { service: { 'svc/web': { requests: { counter: 2 }, request_latency_ms: { 'stat.count': 2 } } } } },
    })
    const found = Object.keys(metricsOf(snapshot, '/rt/*/service/svc'))
    expect(found.length).toBeGreaterThan(5)
    expect(found.every(key => key.startsWith('rt/http/service/svc/web/'))).toBe(true)
    expect(metricsOf(snapshot, 'rt/nobody')).toEqual({})
  })

  it('has a tree for names that objects have themselves', () => {
    const { meter, snapshot } = createTestMeter()
    meter.service('__proto__').ended(200, 'success', 1)
    const tree = metricsOf(snapshot(), '', true)
    expect(JSON.stringify(tree)).toContain('"__proto__":{"requests":{"counter":1}')
  })
})
