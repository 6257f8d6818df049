import { describe, expect, it } from 'vitest'
import { prometheusOf, telemetryConfig } from '../../../proxy-client/telemetry/telemetry-config.ts'

describe('the telemetry of a configuration', () => {
  it("has linkerd's defaults", () => {
    expect(telemetryConfig.parse([{ kind: 'io.l5d.recentRequests', sampleRate: 0.5 }])).toEqual([
      { kind: 'io.l5d.recentRequests', sampleRate: 0.5, capacity: 10 },
    ])
    expect(prometheusOf([])).toEqual(prometheusOf(telemetryConfig.parse([{ kind: 'io.l5d.prometheus' }])))
    expect(prometheusOf([])).toMatchObject({ path: '/admin/metrics/prometheus', prefix: '' })
  })

  it.each([
    [{ kind: 'io.l5d.zipkin' }, 'known kinds: io.l5d.prometheus, io.l5d.recentRequests'],
    [{ kind: 'io.l5d.prometheus', prefix: '1-2' }, 'not the beginning of a metric name'],
    [{ kind: 'io.l5d.prometheus', path: 'metrics' }, 'not a path of the admin server'],
    [{ kind: 'io.l5d.prometheus', nope: 1 }, 'nope'],
    [{ kind: 'io.l5d.recentRequests' }, 'number'],
    [{ kind: 'io.l5d.recentRequests', sampleRate: 1.5 }, '<=1'],
  ])('refuses %j', (telemeter, message) => {
    expect(telemetryConfig.safeParse([telemeter]).error?.message).toContain(message)
  })

  it('has each kind once', () => {
    const twice = telemetryConfig.safeParse([{ kind: 'io.l5d.prometheus' }, { kind: 'io.l5d.prometheus' }])
    expect(twice.error?.issues[0]).toMatchObject({
      path: [1, 'kind'],
      message: 'io.l5d.prometheus stands here already',
    })
  })
})
