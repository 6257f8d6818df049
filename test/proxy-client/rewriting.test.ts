// What a proxy makes of requests and responses beyond passing them on, on the wire.
import { describe, expect, it } from 'vitest'
import { endpointAt } from './naming.fake.ts'
import { errorOf, send, startTestProxy, startUpstream, type TestProxy, type TestProxyOptions } from './proxy.fixture.ts'

/** Answers with what it was asked, and sends the client elsewhere. */
const startEcho = (location = '/') =>
  startUpstream((message, response) => {
    message.resume()
    response.setHeader('location', location)
    response.end(JSON.stringify({ target: message.url, headers: message.headers }))
  })

async function routed(path: string, router: NonNullable<TestProxyOptions['router']>): Promise<TestProxy> {
  const proxy = await startTestProxy({ router })
  const echo = await startEcho()
  proxy.naming.route(path, '/#/echo', [endpointAt(echo.port)])
  return proxy
}

describe('what is rewritten', () => {
  it('is the target, where the identifier consumes the segments that name the service', async () => {
    const { port } = await routed('/svc/users/v2', { identifier: { kind: 'io.l5d.path', segments: 2, consume: true } })
    const { body } = await send(port, { path: '/users/v2/7?all' })
    expect(JSON.parse(body)).toMatchObject({ target: '/7?all', headers: { host: 'web' } })
  })

  it('is Host, and a Location on the way back, where the id has an authority of its own', async () => {
    const { naming, port } = await startTestProxy()
    const echo = await startEcho('http://inner.example:80/next')
    naming.route('/svc/web', '/#/echo', [])
    const metadata = { authority: 'inner.example:80' }
    naming.replicaSet('/#/echo').set({ kind: 'bound', endpoints: [endpointAt(echo.port)], metadata })
    const { body, headers } = await send(port)
    expect(JSON.parse(body).headers.host).toBe('inner.example:80')
    expect(headers.location).toBe('http://web/next')
  })

  it('gets Forwarded and a time stamp where the server says so, beside those that came', async () => {
    const server = {
      port: 0,
      timestampHeader: 'X-Request-Start',
      addForwardedHeader: { by: { kind: 'static', label: 'edge' }, for: { kind: 'ip' } },
    } as const
    const { port } = await routed('/svc/web', { servers: [server] })
    const { body } = await send(port, { headers: { forwarded: 'for=before' } })
    expect(JSON.parse(body).headers).toMatchObject({
      forwarded: 'for=before, for=127.0.0.1;by=_edge',
      'x-request-start': expect.stringMatching(/^\d{13}$/),
    })
  })
})

describe('an edge with clearContext', () => {
  it('does not tell strangers what is wrong, only where', async () => {
    const { port } = await routed('/svc/web', {
      servers: [{ port: 0, clearContext: true }],
      identifier: { kind: 'io.l5d.path' },
    })
    const response = await send(port, { path: '/' })
    expect(response.status).toBe(400)
    expect(errorOf(response)).toBe('identify: the details are not shown here')
    expect(response.body).not.toContain('segments')
  })

  it('names no request by a header of the context', async () => {
    const { port } = await routed('/svc/web', {
      servers: [{ port: 0, clearContext: true }],
      identifier: { kind: 'io.l5d.header' },
    })
    expect((await send(port, { headers: { 'l5d-name': '/web' } })).status).toBe(400)
  })
})

describe('an edge before other proxies', () => {
  const edge = { servers: [{ port: 0, clearContext: true }] }

  it('tells nothing of l5d in responses', async () => {
    const { naming, port } = await startTestProxy({ router: edge })
    const inner = await startUpstream((_, response) => {
      response.setHeader('l5d-success-class', '1.0').setHeader('X-Mine', '1').end('fine')
    })
    naming.route('/svc/web', '/#/inner', [endpointAt(inner.port)])
    const { body, headers } = await send(port)
    expect([body, headers['x-mine'], Object.keys(headers).filter(name => name.startsWith('l5d-'))]).toEqual([
      'fine',
      '1',
      [],
    ])
  })

  it('relays their failures without what they say, and keeps the connection', async () => {
    const { naming, port } = await startTestProxy({ router: edge })
    const inner = await startUpstream((_, response) => {
      response.writeHead(502, { 'l5d-err': 'bind: secrets' }).end('dtab: secrets')
    })
    naming.route('/svc/web', '/#/inner', [endpointAt(inner.port)])
    for (let i = 0; i < 3; i++) {
      const { status, body, headers } = await send(port)
      expect([status, body, JSON.stringify(headers)]).toEqual([502, '', expect.not.stringContaining('secrets')])
    }
    expect([inner.requests(), inner.connections()]).toEqual([3, 1])
  })
})

describe('a deadline', () => {
  it('goes on as it came, the end of time too, and an expired one reaches nobody', async () => {
    const { port } = await routed('/svc/web', { timeoutStatus: 504 })
    const later = '1700000000000000001 9223372036854775807'
    const passed = await send(port, { headers: { 'l5d-ctx-deadline': later } })
    expect(JSON.parse(passed.body).headers['l5d-ctx-deadline']).toBe(later)
    const late = await send(port, { headers: { 'l5d-ctx-deadline': '1700000000000000000 1700000000000000001' } })
    expect([late.status, errorOf(late)]).toEqual([504, expect.stringMatching(/^deadline: .*nothing was sent/)])
  })
})
