import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { AdminSource } from '../../proxy-client/admin/admin-source.ts'
import type { ReadyReport } from '../../proxy-client/admin/ready.ts'
import { adminRoutes } from '../../proxy-client/admin/routes.ts'
import { RecentRequests } from '../../proxy-client/telemetry/recent-requests.ts'
import type { TelemetryConfig } from '../../proxy-client/telemetry/telemetry-config.ts'
import { startAdmin } from '../../runtime/admin-server.ts'
import { createMetrics } from '../../runtime/metrics.ts'
import { createTestMeter, recordWith, type TestMeter } from '../proxy-client/telemetry/meter.fixture.ts'
import { type Ran, runCli } from './cli.fixture.ts'

const kept = { kind: 'io.l5d.recentRequests', sampleRate: 1, capacity: 10 } as const

interface TestProxy extends TestMeter {
  ready: ReadyReport
  readonly url: string
  run(line: string): Promise<Ran>
}

/** The admin port of a proxy that has served a little for a minute. */
async function startProxyAdmin(telemetry: TelemetryConfig = [kept]): Promise<TestProxy> {
  const test = createTestMeter({
    recent: new RecentRequests(kept, () => 0),
    clients: {
      '/#/web': {
        connections: 4,
        endpoints: [
          { address: '10.0.0.1:80', weight: 1, load: 2, state: 'open', latencyMs: 3.25 },
          { address: '10.0.0.2:80', weight: 0.5, load: 0, state: 'dead' },
        ],
      },
    },
  })
  const state = { ready: { ready: true, reasons: [] } as ReadyReport }
  const source: AdminSource = {
    telemetry: test.snapshot,
    state: () => ({ routers: [] }),
    ready: () => state.ready,
  }
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    routes: adminRoutes({ source, metrics: createMetrics(), config: { telemetry } }),
    onError: error => {
      throw error
    },
  })
  onTestFinished(() => admin.close())
  serve(test)
  const url = `http://127.0.0.1:${admin.port}`
  return Object.assign(state, test, {
    url,
    run: (line: string) => runCli(line, { env: { NAMERCTL_PROXY_URL: url } }),
  })
}

function serve({ meter, clock }: TestMeter): void {
  const [server, service, client] = [meter.server('127.0.0.1:4140'), meter.service('/svc/web'), meter.client('/#/web')]
  for (const stats of [server, service, client]) {
    for (const ms of [3, 3, 3, 200]) {
      stats.began()
      stats.ended(ms === 200 ? 503 : 200, ms === 200 ? 'failure' : 'success', ms)
    }
  }
  service.retried()
  meter.failed('connect')
  meter.record(recordWith({ target: '/a', service: '/svc/web', endpoint: '10.0.0.1:80', ms: 3 }))
  meter.record(recordWith({ target: '/\u001b[2J', status: 502, attempts: 2, failedAt: 'connect', ms: 2_500 }))
  clock.advance(60_000)
}

let proxy: TestProxy
beforeEach(async () => {
  proxy = await startProxyAdmin()
})

describe('namerctl proxy', () => {
  it('says how the routers do', async () => {
    const { code, out, err } = await proxy.run('proxy')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatchInlineSnapshot(`
      "# up for 60s
      ROUTER  REQ/S  SUCCESS  P50     P95    P99    ACTIVE  REQUESTS  FAILURES  NAMES
      http    0.1    75.00%   3.10ms  200ms  200ms  0       4         1         2
      # http answered by itself: 1 at connect
      "
    `)
    expect(await proxy.run('proxy status')).toMatchObject({ out })
  })

  it('says why the proxy is not ready; with --check that is a failure', async () => {
    expect((await proxy.run('proxy status --check')).code).toBe(0)
    proxy.ready = { ready: false, reasons: [{ router: 'http', reason: 'no server has answered', problem: 'refused' }] }
    const { code, out, err } = await proxy.run('proxy status --check')
    expect(code).toBe(1)
    expect(out.split('\n')[1]).toBe('# not ready: router http: no server has answered (refused)')
    expect(err).toBe('namerctl: not ready: router http: no server has answered (refused)\n')
  })

  it('shows services, clients and endpoints', async () => {
    const shown = []
    for (const what of ['services', 'clients', 'endpoints']) shown.push((await proxy.run(`proxy ${what}`)).out)
    expect(shown.join('\n')).toMatchInlineSnapshot(`
      "SERVICE   ROUTER  REQ/S  SUCCESS  P50     P95    P99    ACTIVE  REQUESTS  FAILURES  RETRIES  BUDGET
      /svc/web  http    0.1    75.00%   3.10ms  200ms  200ms  0       4         1         1        100

      CLIENT  ROUTER  REQ/S  SUCCESS  P50     P95    P99    ACTIVE  REQUESTS  FAILURES  ENDPOINTS  CONNECTIONS
      /#/web  http    0.1    75.00%   3.10ms  200ms  200ms  0       4         1         1/2        4

      CLIENT  ROUTER  ENDPOINT     STATE  LOAD  WEIGHT  LATENCY
      /#/web  http    10.0.0.1:80  open   2     1       3.25ms
      /#/web  http    10.0.0.2:80  dead   0     0.5     -
      "
    `)
  })

  it('shows recent requests, whatever is in them', async () => {
    expect((await proxy.run('proxy requests')).out).toMatchInlineSnapshot(`
      "TIME                      STATUS  LATENCY  REQUEST            SERVICE   ENDPOINT     TRIES  FAILED AT
      2023-11-14T22:13:20.000Z  502     2.50s    GET web/\\u{1b}[2J  -         -            2      connect
      2023-11-14T22:13:20.000Z  200     3.00ms   GET web/a          /svc/web  10.0.0.1:80  1
      "
    `)
  })

  it('says that no requests are kept, and how to change that', async () => {
    const bare = await startProxyAdmin([])
    const { code, err } = await bare.run('proxy requests')
    expect({ code, err }).toEqual({
      code: 0,
      err: '# none is kept: add io.l5d.recentRequests to the telemetry of its configuration\n',
    })
  })

  it("shows metrics under linkerd's names", async () => {
    const { out } = await proxy.run('proxy metrics rt/http/bindcache/path')
    expect(out).toMatchInlineSnapshot(`
      "METRIC                          VALUE
      rt/http/bindcache/path/evicts   1
      rt/http/bindcache/path/expires  2
      rt/http/bindcache/path/misses   5
      "
    `)
  })

  it('gives whole answers as JSON and YAML', async () => {
    expect(JSON.parse((await proxy.run('proxy -o json')).out)).toMatchObject({
      routers: [{ label: 'http', requests: 4 }],
    })
    expect(JSON.parse((await proxy.run('proxy services -o json')).out)).toMatchObject({
      services: [{ router: 'http', name: '/svc/web', retries: 1 }],
    })
    expect((await proxy.run('proxy endpoints -o yaml')).out).toContain('latencyMs: 3.25')
  })

  it('asks the proxy that --proxy-url names', async () => {
    const other = await startProxyAdmin()
    other.ready = { ready: false, reasons: [{ reason: 'the proxy is stopping' }] }
    for (const line of [
      `proxy --proxy-url ${other.url} status --check`,
      `proxy status --check --proxy-url ${other.url}`,
    ])
      expect(await proxy.run(line)).toMatchObject({ code: 1, err: 'namerctl: not ready: the proxy is stopping\n' })
  })

  it('says what to do when there is none, or the URL is none', async () => {
    const { code, err } = await runCli('proxy services', { fetch: async () => Promise.reject(new Error('refused')) })
    expect({ code, err }).toEqual({
      code: 1,
      err: 'namerctl: no proxy answers at http://127.0.0.1:9990 (refused): start one with `nameplane proxy`, or say where it is with --proxy-url URL\n',
    })
    expect(await runCli('proxy --proxy-url nope')).toMatchObject({
      code: 2,
      err: "namerctl: --proxy-url: 'nope' is not a base URL; write for example http://127.0.0.1:9990\n",
    })
  })

  it('doubts that it is a proxy that answers a page, a refusal, or something else', async () => {
    const ask = (body: string, status: number) => runCli('proxy', { fetch: async () => new Response(body, { status }) })
    expect((await ask('<html>', 200)).err).toMatch(/did not answer with JSON: is it a Nameplane proxy\?\n$/)
    expect((await ask('<html>', 404)).err).toMatch(/answered 404: is it a Nameplane proxy\?\n$/)
    expect((await ask('{"routers":[]}', 200)).err).toMatch(/is it a Nameplane proxy of this version\?\n$/)
  })
})

describe('the help of namerctl proxy', () => {
  it.each(['', ' status', ' services', ' clients', ' endpoints', ' requests', ' metrics'])(
    '%s teaches with examples that work',
    async name => {
      const { code, out } = await proxy.run(`proxy${name} --help`)
      expect(code).toBe(0)
      const examples = out.split('\n').filter(line => line.startsWith('  $ namerctl '))
      expect(examples.length).toBeGreaterThan(0)
      for (const example of examples) {
        const command = example
          .replace(/^ *\$ namerctl /, '')
          .replace(/ +# .*$/, '')
          .replaceAll("'", '')
        expect(await proxy.run(command)).toMatchObject({ code: 0, err: '' })
      }
    },
  )
})
