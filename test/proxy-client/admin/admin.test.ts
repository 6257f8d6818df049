import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { union } from '../../../naming/name-tree.ts'
import { proxyConfig } from '../../../proxy-client/config.ts'
import { serversOf } from '../../../proxy-client/interpreter-config.ts'
import { startProxy } from '../../../proxy-client/proxy.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import { systemClock } from '../../../watch/clock.ts'
import { createKernel } from '../../../watch/kernel.ts'
import { endpointAt, FakeNaming, leafOf } from '../naming.fake.ts'
import { send, startNamed, startTestProxy, startUpstream } from '../proxy.fixture.ts'

async function get(port: number, path: string) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, text: await response.text() }
}

describe('the admin server of a proxy', () => {
  it('says that it lives, and answers a ping as linkerd does', async () => {
    const { adminPort } = await startTestProxy()
    expect(await get(adminPort, '/live')).toEqual({ status: 200, text: 'live\n' })
    expect(await get(adminPort, '/admin/ping')).toEqual({ status: 200, text: 'pong' })
  })

  it('is not ready, with the reason, before a naming server has answered', async () => {
    const { adminPort, naming } = await startTestProxy()
    naming.present = { connected: false, wasConnected: false, problem: 'refused', facts: {} }
    const early = await get(adminPort, '/ready')
    expect(early.status).toBe(503)
    expect(JSON.parse(early.text)).toEqual({
      ready: false,
      reasons: [{ router: 'http', reason: 'no naming server has answered yet', problem: 'refused' }],
    })
    naming.present = { connected: false, wasConnected: true, facts: {} }
    expect(await get(adminPort, '/ready')).toMatchObject({ status: 200 })
  })

  it('shows how each name is bound, to which endpoints, and under which load', async () => {
    const { adminPort, naming, port } = await startTestProxy()
    const upstream = await startNamed('web')
    naming.replicaSet('/#/a').set({ kind: 'bound', endpoints: [endpointAt(upstream.port)] })
    naming.replicaSet('/#/b').set({ kind: 'neg' })
    naming.tree('/svc/web').set(
      union([
        { weight: 1, tree: leafOf('/#/a', '/rest') },
        { weight: 0, tree: leafOf('/#/b') },
      ]),
    )
    naming.tree('/svc/bad').fail(new Error('too deep'))
    await send(port)
    await send(port, { host: 'bad' })
    const state = JSON.parse((await get(adminPort, '/state')).text)
    expect(state.routers).toMatchObject([
      {
        label: 'http',
        namespace: 'default',
        servers: [{ port }],
        activeRequests: 0,
        naming: { connected: true },
        bindings: [
          {
            path: '/svc/web',
            state: 'bound',
            tree: {
              type: 'union',
              branches: [
                { weight: 1, tree: { type: 'leaf', id: '/#/a', residual: '/rest' } },
                { weight: 0, tree: { type: 'leaf', id: '/#/b', residual: '/' } },
              ],
            },
          },
          { path: '/svc/bad', state: 'failed', error: 'too deep' },
        ],
        clients: [
          { id: '/#/a', state: 'known', endpoints: [{ address: `127.0.0.1:${upstream.port}`, weight: 1, load: 0 }] },
          { id: '/#/b', state: 'neg', endpoints: [] },
        ],
      },
    ])
  })

  it('counts requests in bounded series, whatever hosts are asked for', async () => {
    const { adminPort, port } = await startTestProxy({ router: { bindingTimeoutMs: 1 } })
    const series = async (): Promise<number> =>
      (await get(adminPort, '/metrics')).text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
    const ask = (from: number, to: number) =>
      Promise.all(Array.from({ length: to - from }, (_, i) => send(port, { host: `host-${from + i}` })))
    await ask(0, 100)
    const before = await series()
    await ask(100, 400)
    expect(await series()).toBe(before)
    const { text } = await get(adminPort, '/metrics')
    expect(text).toContain('nameplane_proxy_requests_total{router="http",status="5xx",result="failure"} 400')
    expect(text).toContain('nameplane_proxy_failures_total{router="http",stage="bind"} 400')
    expect(text).toContain('nameplane_proxy_service_requests_total{router="http",service="other",result="failure"} 350')
    expect(text).toContain('nameplane_proxy_bindings{router="http"} 400')
  })
})

describe('the counts of a proxy', () => {
  it('agree with each other, whatever became of the requests', async () => {
    const { adminPort, port, naming } = await startTestProxy({ router: { bindingTimeoutMs: 50 } })
    const asked = Promise.withResolvers<() => void>()
    const upstream = await startUpstream((message, response) => {
      if (message.url === '/slow') asked.resolve(() => response.end('slow'))
      else response.writeHead(message.url === '/bad' ? 500 : 200).end()
    })
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const slow = send(port, { path: '/slow' })
    const finish = await asked.promise
    for (const path of ['/', '/', '/bad']) await send(port, { path })
    await send(port, { host: 'nowhere' })
    await send(port, { headers: { 'l5d-dtab': 'no dtab' } })
    const sumOf = async (name: string): Promise<number> =>
      (await get(adminPort, '/metrics')).text
        .split('\n')
        .filter(line => new RegExp(`^${name}(?:\\{| )`).test(line))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
    const activeNow = async (): Promise<number> =>
      JSON.parse((await get(adminPort, '/state')).text).routers[0].activeRequests
    expect([await activeNow(), await sumOf('nameplane_proxy_requests_active')]).toEqual([1, 1])
    expect(await sumOf('nameplane_proxy_requests_total')).toBe(5)
    finish()
    await slow
    expect([await activeNow(), await sumOf('nameplane_proxy_requests_active')]).toEqual([0, 0])
    expect(await sumOf('nameplane_proxy_requests_total')).toBe(6)
    expect(await sumOf('nameplane_proxy_request_seconds_count')).toBe(6)
    expect(await sumOf('nameplane_proxy_failures_total')).toBe(2)
  })
})

describe('a proxy that cannot start', () => {
  it('names the router and the address that is in use, and leaves nothing open', async () => {
    const taken = createServer()
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo // a TCP server has no other kind
    const kernel = createKernel({ clock: systemClock, onError: () => {} })
    const naming = new FakeNaming(kernel)
    const config = proxyConfig.parse({
      admin: { port: 0 },
      routers: [{ label: 'out', servers: [{ port: 0 }, { port }] }],
    })
    const env = { kernel, clock: systemClock, random: Math.random, log: silentLog, metrics: createMetrics() }
    await expect(startProxy(config, env, () => naming)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(`router out: cannot listen on 127.0.0.1:${port}: the port is in use`),
    })
    expect(naming.isClosed).toBe(true)
  })
})

describe('routers with the same servers', () => {
  it('share one naming client', async () => {
    const kernel = createKernel({ clock: systemClock, onError: () => {} })
    const opened: string[] = []
    const interpreter = (...addresses: string[]) => ({ kind: 'nameplane' as const, addresses })
    const mesh = (root: string) => ({ kind: 'io.l5d.mesh' as const, dst: '/$/inet/x/1', root })
    const config = proxyConfig.parse({
      admin: { port: 0 },
      routers: [
        { label: 'a', servers: [{ port: 0 }], interpreter: interpreter('x:1', 'y:1') },
        { label: 'b', servers: [{ port: 0 }], interpreter: interpreter('y:1', 'x:1') },
        { label: 'c', servers: [{ port: 0 }], interpreter: interpreter('x:1') },
        { label: 'd', servers: [{ port: 0 }], interpreter: mesh('/one') },
        { label: 'e', servers: [{ port: 0 }], interpreter: mesh('/other') },
      ],
    })
    const env = { kernel, clock: systemClock, random: Math.random, log: silentLog, metrics: createMetrics() }
    const proxy = await startProxy(config, env, used => {
      opened.push(`${used.kind} ${serversOf(used).join(' ')}`)
      return new FakeNaming(kernel)
    })
    await proxy.close(0)
    expect(opened).toEqual(['nameplane x:1 y:1', 'nameplane x:1', 'io.l5d.mesh x:1'])
  })
})
