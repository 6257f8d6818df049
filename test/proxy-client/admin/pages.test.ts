import { describe, expect, it, onTestFinished } from 'vitest'
import type { AdminSource } from '../../../proxy-client/admin/admin-source.ts'
import { adminRoutes } from '../../../proxy-client/admin/routes.ts'
import { RecentRequests } from '../../../proxy-client/telemetry/recent-requests.ts'
import type { TelemetryConfig } from '../../../proxy-client/telemetry/telemetry-config.ts'
import { startAdmin } from '../../../runtime/admin-server.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { createTestMeter, recordWith, type TestMeter } from '../telemetry/meter.fixture.ts'
import { readPrometheus, sampleValue } from '../telemetry/prometheus.fixture.ts'

const kept = { kind: 'io.l5d.recentRequests', sampleRate: 1, capacity: 10 } as const
const hostile = `"><script>alert('x')</script><img src=x onerror=alert(1)>&amp;\u202e`

interface TestPages extends TestMeter {
  get(path: string, headers?: Record<string, string>): Promise<Response>
}

/** An admin server over a meter that the test feeds. */
async function startPages({ telemetry = [] as TelemetryConfig, ready = true } = {}): Promise<TestPages> {
  const test = createTestMeter({
    recent: new RecentRequests(kept, () => 0),
    clients: {
      '/#/web': { connections: 1, endpoints: [{ address: '10.0.0.1:80', weight: 1, load: 0, state: 'open' }] },
    },
  })
  const source: AdminSource = {
    telemetry: test.snapshot,
    state: () => ({ routers: [] }),
    ready: () => ({ ready, reasons: ready ? [] : [{ router: 'http', reason: 'no server', problem: hostile }] }),
  }
  const metrics = createMetrics()
  metrics.counter({ name: 'of_the_process', help: 'One.' }).inc()
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    routes: adminRoutes({ source, metrics, config: { telemetry } }),
    onError: error => {
      throw error
    },
  })
  onTestFinished(() => admin.close())
  return { ...test, get: (path, headers = {}) => fetch(`http://127.0.0.1:${admin.port}${path}`, { headers }) }
}

function useOnce({ meter }: TestMeter): void {
  for (const stats of [meter.server('127.0.0.1:4140'), meter.service('/svc/web'), meter.client('/#/web')]) {
    stats.began()
    stats.ended(200, 'success', 3)
  }
}

describe('the pages for people', () => {
  it('O2: show hostile text as text', async () => {
    const pages = await startPages({ telemetry: [kept] })
    pages.meter.record(
      recordWith({
        method: hostile,
        target: hostile,
        host: hostile,
        service: hostile,
        client: hostile,
        endpoint: hostile,
      }),
    )
    const html = await (await pages.get('/requests')).text()
    expect(html).not.toMatch(/<script>|<img|\u202e/)
    expect(html).toContain('&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;')
    expect(html).toContain('&amp;amp;\\u{202e}')
  })

  it.each(['/', '/requests'])('%s loads nothing from elsewhere, and may run no script but ours', async path => {
    const response = await (await startPages()).get(path)
    const html = await response.text()
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'/)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(html).not.toMatch(/(?:src|href)="(?!\/)|https?:|<script>/)
    expect(html).toMatch(/^<!doctype html>/)
  })

  it('has every script, style and page that it links to', async () => {
    const pages = await startPages()
    const html = await (await pages.get('/')).text()
    const links = Array.from(html.matchAll(/(?:src|href)="([^"]+)"/g), ([, path = '']) => path)
    expect(links.length).toBeGreaterThan(5)
    for (const path of links) expect([path, (await pages.get(path)).status]).toEqual([path, 200])
  })

  it('has a script that is one for browsers, and puts texts in as texts', async () => {
    const script = await (await (await startPages()).get('/admin/dashboard.js')).text()
    expect(() => new Function(script)).not.toThrow()
    expect(script).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b/)
  })

  it('says how to see requests when none is kept', async () => {
    expect(await (await (await startPages()).get('/requests')).text()).toContain('kind: io.l5d.recentRequests')
  })
})

describe('the requests', () => {
  it('are JSON for who asks for it', async () => {
    const pages = await startPages({ telemetry: [kept] })
    pages.meter.record(recordWith({ target: '/a' }))
    const asked = [await pages.get('/requests?json'), await pages.get('/requests', { accept: 'application/json' })]
    for (const response of asked)
      expect(await response.json()).toMatchObject({ sampled: true, requests: [{ target: '/a', router: 'http' }] })
    const browser = await pages.get('/requests', { accept: 'text/html,application/json;q=0.9' })
    expect(browser.headers.get('content-type')).toBe('text/html; charset=utf-8')
  })
})

describe('the figures', () => {
  it("are served under our names, behind the process's own, and under linkerd's", async () => {
    const pages = await startPages()
    useOnce(pages)
    const own = await pages.get('/metrics')
    expect(own.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const samples = readPrometheus(await own.text())
    expect(sampleValue(samples, 'of_the_process')).toBe(1)
    expect(
      sampleValue(samples, 'nameplane_proxy_service_requests_total', { service: '/svc/web', result: 'success' }),
    ).toBe(1)
    const linkerd = readPrometheus(await (await pages.get('/admin/metrics/prometheus')).text())
    expect(sampleValue(linkerd, 'rt:service:requests', { service: 'svc/web' })).toBe(1)
  })

  it("have linkerd's names at the path and under the prefix that are configured", async () => {
    const prometheus = { kind: 'io.l5d.prometheus', path: '/elsewhere', prefix: 'l5d:', maxScopes: 5 } as const
    const pages = await startPages({ telemetry: [prometheus] })
    useOnce(pages)
    expect(await (await pages.get('/elsewhere')).text()).toContain('l5d:rt:server:requests{rt="http"')
    expect((await pages.get('/admin/metrics/prometheus')).status).toBe(404)
  })

  it('are in metrics.json, pretty, as a tree or in part', async () => {
    const pages = await startPages()
    useOnce(pages)
    const text = async (query: string): Promise<string> => (await pages.get(`/admin/metrics.json${query}`)).text()
    expect(await text('?q=rt/http/service/svc/web/success')).toBe('{"rt/http/service/svc/web/success":1}\n')
    expect(await text('?pretty=true&q=rt/http/service/svc/web/success')).toBe(
      '{\n  "rt/http/service/svc/web/success": 1\n}\n',
    )
    expect(JSON.parse(await text('?tree=1')).rt.http.server['127.0.0.1']['4140'].requests).toEqual({ counter: 1 })
    expect(JSON.parse(await text('?tree=false'))).toHaveProperty('rt/http/server/127.0.0.1/4140/requests', 1)
  })

  it('are summed up for the overview', async () => {
    const pages = await startPages({ ready: false })
    useOnce(pages)
    pages.clock.advance(60_000)
    expect(await (await pages.get('/summary.json')).json()).toMatchObject({
      uptimeMs: 60_000,
      processes: 1,
      ready: { ready: false, reasons: [{ router: 'http', reason: 'no server' }] },
      routers: [
        {
          label: 'http',
          requests: 1,
          successRate: 1,
          p99Ms: 3,
          perSecond: 1 / 60,
          services: [{ name: '/svc/web', requests: 1, budget: 100 }],
          clients: [{ name: '/#/web', endpoints: 1, available: 1, connections: 1 }],
        },
      ],
    })
  })
})

describe("linkerd's pages", () => {
  it('tell the endpoints of each client and the names that are bound', async () => {
    const pages = await startPages()
    useOnce(pages)
    pages.meter.client('/#/a')
    expect(await (await pages.get('/client_state.json')).json()).toEqual({
      http: {
        '/#/web': { connections: 1, endpoints: [{ address: '10.0.0.1:80', weight: 1, load: 0, state: 'open' }] },
      },
    })
    expect(await (await pages.get('/bound-names.json')).json()).toEqual(['/#/a', '/#/web'])
  })

  it('tell the configuration and the process', async () => {
    const pages = await startPages({ telemetry: [kept] })
    expect(await (await pages.get('/config.json')).json()).toEqual({ telemetry: [kept] })
    pages.clock.advance(5_000)
    expect(await (await pages.get('/admin/server_info')).json()).toMatchObject({
      name: 'nameplane proxy',
      start_time: '2023-11-14T22:13:20.000Z',
      uptime: 5_000,
    })
  })
})
