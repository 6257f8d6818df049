import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { adminRoutes } from '../../../proxy-client/admin/routes.ts'
import { accessLogLine } from '../../../proxy-client/telemetry/access-log-line.ts'
import { proxySeries } from '../../../proxy-client/telemetry/proxy-series.ts'
import { prometheusOf } from '../../../proxy-client/telemetry/telemetry-config.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { createTestMeter, recordWith } from './meter.fixture.ts'

const text = readFileSync(join(import.meta.dirname, '../../../proxy-client/telemetry/README.md'), 'utf8')

describe('the README of telemetry', () => {
  it('names every metric, and no other', () => {
    const metrics = proxySeries(createTestMeter().snapshot())
    const served = Array.from(metrics.matchAll(/^# TYPE nameplane_proxy_(\w+)/gm), ([, name = '']) => name)
    const table = text.slice(text.indexOf('| series |'), text.indexOf('## Access log'))
    const rows = table
      .split('\n')
      .slice(2)
      .map(row => row.split(' | ')[0] ?? '')
    const named = rows.flatMap(row => Array.from(row.matchAll(/`(\w+)(?:\{[\w,]+\})?`/g), ([, name = '']) => name))
    expect(named.toSorted()).toEqual(served.toSorted())
  })

  it('names every page', () => {
    const source = { telemetry: createTestMeter().snapshot, state: () => ({ routers: [] }), ready: () => never }
    const routes = adminRoutes({ source, metrics: createMetrics(), config: { telemetry: [] } })
    const pages = Object.keys(routes).filter(path => !/\.(css|js)$/.test(path))
    for (const path of pages) expect(text).toContain(`\`${path}\``)
  })

  it('shows the line of the access log, and the number of scopes, as they are', () => {
    const parts = {
      service: '/svc/web',
      client: '/#/web',
      endpoint: '10.0.0.1:80',
      requestId: '4f',
      userAgent: 'curl/8',
    }
    expect(text).toContain(accessLogLine(recordWith(parts)))
    expect(text).toContain(`${prometheusOf([]).maxScopes} by default`)
  })
})

const never = { ready: true, reasons: [] }
