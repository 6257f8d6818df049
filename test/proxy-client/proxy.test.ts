import { describe, expect, it } from 'vitest'
import { leaf, union } from '../../naming/name-tree.ts'
import { endpointAt, leafOf, pathOf } from './naming.fake.ts'
import { errorOf, keepAliveAgent, send, startNamed, startTestProxy, startUpstream } from './proxy.fixture.ts'
import { threeSigma } from './seeded-random.fixture.ts'

/** Answers with what it was asked. */
const startEcho = () =>
  startUpstream((message, response) => {
    message.resume()
    const { method, url, headers } = message
    response.setHeader('x-upstream', 'echo')
    response.end(JSON.stringify({ method, url, headers }))
  })

describe('a request through the proxy', () => {
  it('reaches the endpoint that its Host is bound to, and its answer comes back', async () => {
    const { naming, port } = await startTestProxy()
    const echo = await startEcho()
    naming.route('/svc/web', '/#/web', [endpointAt(echo.port)])
    const response = await send(port, {
      host: 'Web',
      method: 'POST',
      path: '/a?b=c',
      body: 'hello',
      headers: { 'x-mine': '1' },
    })
    expect(response.status).toBe(200)
    expect(response.headers).toMatchObject({ 'x-upstream': 'echo', via: '1.1 nameplane' })
    expect(JSON.parse(response.body)).toMatchObject({
      method: 'POST',
      url: '/a?b=c',
      headers: { host: 'Web', 'content-length': '5', 'x-mine': '1', via: '1.1 nameplane' },
    })
    expect(naming.asked).toEqual(['default /svc/web', '/#/web'])
  })

  it('tells the upstream how it was routed, under an id of its own or the one it came with', async () => {
    const { naming, port } = await startTestProxy()
    const echo = await startEcho()
    naming.replicaSet('/#/web').set({ kind: 'bound', endpoints: [endpointAt(echo.port)] })
    naming.tree('/svc/web').set(leafOf('/#/web', '/rest'))
    const fresh = JSON.parse((await send(port)).body).headers
    expect(fresh).toMatchObject({
      'l5d-dst-service': '/svc/web',
      'l5d-dst-client': '/#/web',
      'l5d-dst-residual': '/rest',
      'l5d-reqid': expect.stringMatching(/^[0-9a-f]{16}$/),
    })
    const kept = JSON.parse((await send(port, { headers: { 'l5d-reqid': 'mine' } })).body).headers
    expect(kept['l5d-reqid']).toBe('mine')
  })

  it('is routed by its own dtab, which is passed on for the chain of calls', async () => {
    const { naming, port } = await startTestProxy()
    const [echo, staging] = [await startNamed('stable'), await startEcho()]
    naming.route('/svc/web', '/#/web', [endpointAt(echo.port)])
    naming.replicaSet('/#/staging').set({ kind: 'bound', endpoints: [endpointAt(staging.port)] })
    const dtab = '/svc/x => /y;/svc/web => /svc/staging'
    naming.tree('/svc/web', dtab).set(leafOf('/#/staging'))
    const headers = { 'l5d-ctx-dtab': '/svc/x=>/y', 'l5d-dtab': '/svc/web=>/svc/staging' }
    const response = JSON.parse((await send(port, { headers })).body)
    expect(response.headers['l5d-ctx-dtab']).toBe(dtab)
    expect(response.headers).not.toHaveProperty('l5d-dtab')
    expect((await send(port)).body).toBe('stable')
  })

  it('is drawn by weight: a 10 % split is within three sigma', async () => {
    const { naming, port } = await startTestProxy()
    const [v1, v2] = [await startNamed('v1'), await startNamed('v2')]
    for (const [id, upstream] of [
      ['/#/v1', v1],
      ['/#/v2', v2],
    ] as const) {
      naming.replicaSet(id).set({ kind: 'bound', endpoints: [endpointAt(upstream.port)] })
    }
    naming.tree('/svc/web').set(
      union([
        { weight: 0.9, tree: leafOf('/#/v1') },
        { weight: 0.1, tree: leafOf('/#/v2') },
      ]),
    )
    const agent = keepAliveAgent(20)
    let left = 500
    const client = async (): Promise<void> => {
      while (left-- > 0) await send(port, { agent })
    }
    await Promise.all(Array.from({ length: 20 }, client))
    expect(v1.requests() + v2.requests()).toBe(500)
    expect(Math.abs(v2.requests() - 50)).toBeLessThan(threeSigma(500, 0.1))
  })

  it('keeps its connections on both sides', async () => {
    const { naming, port } = await startTestProxy()
    const upstream = await startNamed('web')
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const agent = keepAliveAgent()
    for (let i = 0; i < 20; i++) await send(port, { agent })
    expect(upstream.connections()).toBe(1)
    expect(upstream.requests()).toBe(20)
  })

  it('never asks for a name that is bound already', async () => {
    const { naming, port } = await startTestProxy()
    const upstream = await startNamed('web')
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    for (let i = 0; i < 50; i++) await send(port)
    expect(naming.asked).toEqual(['default /svc/web', '/#/web'])
  })

  it('goes on to the last good endpoints while names and replica sets fail', async () => {
    const { naming, port } = await startTestProxy()
    const upstream = await startNamed('web')
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    await send(port)
    naming.tree('/svc/web').fail(new Error('server away'))
    naming.replicaSet('/#/web').fail(new Error('server away'))
    expect((await send(port)).body).toBe('web')
  })

  it('waits for a name that is not bound yet, and no longer than that takes', async () => {
    const { naming, port } = await startTestProxy()
    const upstream = await startNamed('web')
    const response = send(port)
    naming.tree('/svc/web').set(leafOf('/#/web'))
    naming.replicaSet('/#/web').set({ kind: 'bound', endpoints: [endpointAt(upstream.port)] })
    expect((await response).body).toBe('web')
  })

  it('goes through an absolute URI as to a forward proxy', async () => {
    const { naming, port } = await startTestProxy()
    const echo = await startEcho()
    naming.route('/svc/web', '/#/web', [endpointAt(echo.port)])
    const response = await send(port, { host: 'ignored', path: 'http://web/path?q' })
    expect(JSON.parse(response.body)).toMatchObject({ url: '/path?q', headers: { host: 'web' } })
  })

  it('carries heads without bodies: HEAD, 204 and 304', async () => {
    const { naming, port } = await startTestProxy()
    const upstream = await startUpstream((message, response) => {
      const status = Number(message.url?.slice(1))
      response.writeHead(status, status === 200 ? { 'content-length': '10' } : {}).end()
    })
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const agent = keepAliveAgent()
    const head = await send(port, { method: 'HEAD', path: '/200', agent })
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': '10' } })
    expect((await send(port, { path: '/204', agent })).status).toBe(204)
    expect((await send(port, { path: '/304', agent })).status).toBe(304)
  })

  it('keeps repeated headers, the reason and the trailers of its answer', async () => {
    const { naming, port } = await startTestProxy()
    const upstream = await startUpstream((_message, response) => {
      response.writeHead(200, 'Fine', ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Trailer', 'x-sum'])
      response.write('body')
      response.addTrailers({ 'x-sum': '4' })
      response.end()
    })
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const response = await send(port)
    expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2'])
    expect(response.trailers).toEqual({ 'x-sum': '4' })
  })

  it('draws a leaf whose endpoints are many by load and reaches all of them', async () => {
    const { naming, port } = await startTestProxy()
    const upstreams = await Promise.all(['a', 'b', 'c'].map(name => startNamed(name)))
    naming.route(
      '/svc/web',
      '/#/web',
      upstreams.map(upstream => endpointAt(upstream.port)),
    )
    const agent = keepAliveAgent()
    for (let i = 0; i < 100; i++) await send(port, { agent })
    for (const upstream of upstreams) expect(upstream.requests()).toBeGreaterThan(10)
  })
})

describe('traffic that moves', () => {
  it('follows each new tree with the next request, over connections that stay open', async () => {
    const { naming, port } = await startTestProxy()
    const [blue, green] = [await startNamed('blue'), await startNamed('green')]
    naming.replicaSet('/#/blue').set({ kind: 'bound', endpoints: [endpointAt(blue.port)] })
    naming.replicaSet('/#/green').set({ kind: 'bound', endpoints: [endpointAt(green.port)] })
    const agent = keepAliveAgent()
    for (let i = 0; i < 20; i++) {
      const target = i % 2 === 0 ? 'blue' : 'green'
      naming.tree('/svc/web').set(leafOf(`/#/${target}`))
      await new Promise(setImmediate)
      expect((await send(port, { agent })).body).toBe(target)
    }
    expect([blue.connections(), green.connections()]).toEqual([1, 1])
  })

  it('lets an endpoint that leaves finish what it works on, and then closes its connections', async () => {
    const { naming, port } = await startTestProxy()
    let finish = (): void => {}
    const asked = Promise.withResolvers<void>()
    const old = await startUpstream((_message, response) => {
      response.write('slow ')
      finish = () => response.end('but whole')
      asked.resolve()
    })
    const next = await startNamed('next')
    naming.route('/svc/web', '/#/web', [endpointAt(old.port)])
    const slow = send(port)
    await asked.promise
    naming.replicaSet('/#/web').set({ kind: 'bound', endpoints: [endpointAt(next.port)] })
    await new Promise(setImmediate)
    expect((await send(port)).body).toBe('next')
    expect(old.open()).toBe(1)
    finish()
    expect((await slow).body).toBe('slow but whole')
    await old.allClosed()
    expect(old.requests()).toBe(1)
  })

  it('fails no request while endpoints come and go under load', async () => {
    const { naming, port } = await startTestProxy()
    const [a, b] = [await startNamed('a'), await startNamed('b')]
    naming.route('/svc/web', '/#/web', [endpointAt(a.port)])
    const agent = keepAliveAgent(8)
    let isDone = false
    const seen = new Set<string>()
    const client = async (): Promise<void> => {
      while (!isDone) {
        const { status, body } = await send(port, { agent, method: 'POST', body: 'x' })
        seen.add(`${status} ${body}`)
      }
    }
    const clients = Array.from({ length: 8 }, client)
    for (let i = 0; i < 50; i++) {
      const [upstream, name] = i % 2 === 0 ? [b, 'b'] : [a, 'a']
      naming.replicaSet('/#/web').set({ kind: 'bound', endpoints: [endpointAt(upstream.port)] })
      while ((await send(port, { agent })).body !== name);
    }
    isDone = true
    await Promise.all(clients)
    expect([...seen].toSorted()).toEqual(['200 a', '200 b'])
  })

  it('tries another endpoint when one refuses connections, and fails no request', async () => {
    const { naming, port, scrape } = await startTestProxy()
    const [dead, alive] = [await startNamed('dead'), await startNamed('alive')]
    await dead.stop()
    naming.route('/svc/web', '/#/web', [endpointAt(dead.port), endpointAt(alive.port)])
    const agent = keepAliveAgent()
    for (let i = 0; i < 20; i++) {
      expect((await send(port, { agent, method: 'POST', body: `body ${i}` })).body).toBe('alive')
    }
    expect(await scrape()).toMatch(/nameplane_proxy_requeues_total\{router="http"\} [1-9]/)
  })
})

describe('what the proxy answers itself', () => {
  it('is 400 for a request without a name', async () => {
    const { port } = await startTestProxy({ router: { identifier: { kind: 'io.l5d.header.token', header: 'X-Svc' } } })
    const response = await send(port)
    expect(response.status).toBe(400)
    expect(errorOf(response)).toBe('identify: the request has no X-Svc header')
    expect(response.body).toContain('stage: identify')
  })

  it('is 400 for a dtab that does not parse, with the place', async () => {
    const { port, naming } = await startTestProxy()
    const response = await send(port, { headers: { 'l5d-dtab': '/a=>!!' } })
    expect(response.status).toBe(400)
    expect(errorOf(response)).toContain('dtab: the header l5d-dtab is not a dtab at column 6')
    expect(naming.asked).toEqual([])
  })

  it.each([
    ['neg', 'no rule'],
    ['fail', '(!)'],
    ['empty', '($)'],
  ] as const)('is 502 for a name bound to %s, naming service, namespace and dtab', async (kind, why) => {
    const { port, naming } = await startTestProxy({ router: { interpreter: { kind: 'nameplane', namespace: 'prod' } } })
    naming.tree('/svc/web', '/a => /b').set({ kind })
    const response = await send(port, { headers: { 'l5d-dtab': '/a=>/b' } })
    expect(response.status).toBe(502)
    expect(errorOf(response)).toContain(why)
    expect(response.body).toContain('stage: bind\nservice: /svc/web\nnamespace: prod\ndtab of this request: /a => /b\n')
    expect(response.headers['l5d-retryable']).toBe('true')
  })

  it('is 502 for a name that cannot be bound', async () => {
    const { port, naming } = await startTestProxy()
    naming.tree('/svc/web').fail(new Error('too many rewrites'))
    const response = await send(port)
    expect([response.status, errorOf(response)]).toEqual([502, 'bind: /svc/web cannot be bound: too many rewrites'])
  })

  it('is 503 when a name is not bound in time', async () => {
    const { port } = await startTestProxy({ router: { bindingTimeoutMs: 20 } })
    const response = await send(port)
    expect([response.status, errorOf(response)]).toEqual([
      503,
      'bind: /svc/web was not bound within 20 ms (bindingTimeoutMs)',
    ])
  })

  it('is 503 when its endpoints are not known in time', async () => {
    const { port, naming } = await startTestProxy({ router: { bindingTimeoutMs: 20 } })
    naming.tree('/svc/web').set(leafOf('/#/web'))
    const response = await send(port)
    expect([response.status, errorOf(response)]).toEqual([
      503,
      'resolve: the endpoints of /#/web were not known within 20 ms (bindingTimeoutMs)',
    ])
  })

  it('says how old its knowledge is, and that no server is connected', async () => {
    const { port, naming } = await startTestProxy()
    naming.route('/svc/web', '/#/web', [])
    naming.tree('/svc/web').fail(new Error('the server is away'))
    naming.present = { connected: false, wasConnected: true, problem: 'refused; next try in 3 s', facts: {} }
    const { body } = await send(port)
    expect(body).toContain('the binding: not confirmed for 0 s; the server is away\n')
    expect(body).toContain('naming server: refused; next try in 3 s\n')
  })

  it('is 502 for an id without endpoints, or one that is gone', async () => {
    const { port, naming } = await startTestProxy()
    naming.route('/svc/none', '/#/none', [])
    naming.tree('/svc/gone').set(leafOf('/#/gone'))
    naming.replicaSet('/#/gone').set({ kind: 'neg' })
    const none = await send(port, { host: 'none' })
    expect([none.status, errorOf(none)]).toEqual([502, 'balance: /#/none has no endpoint'])
    const gone = await send(port, { host: 'gone' })
    expect([gone.status, errorOf(gone)]).toEqual([502, 'resolve: /#/gone does not exist, or not any more'])
  })

  it('is 502 when no endpoint can be reached, naming each that was tried', async () => {
    const { port, naming } = await startTestProxy()
    const dead = [await startNamed('a'), await startNamed('b')]
    for (const upstream of dead) await upstream.stop()
    naming.route(
      '/svc/web',
      '/#/web',
      dead.map(upstream => endpointAt(upstream.port)),
    )
    const response = await send(port, { method: 'POST', body: 'x' })
    expect(response.status).toBe(502)
    for (const upstream of dead) expect(errorOf(response)).toContain(`127.0.0.1:${upstream.port} (connect ECONNREFUSED`)
    expect(response.headers['l5d-retryable']).toBe('true')
  })

  it('is 400 for a target that cannot be forwarded', async () => {
    const { port } = await startTestProxy()
    const response = await send(port, { path: 'ftp://web/' })
    expect(response.status).toBe(400)
    expect(errorOf(response)).toContain('protocol: the request target')
  })

  it('leaves the connection usable', async () => {
    const { port, naming } = await startTestProxy()
    const upstream = await startNamed('web')
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    naming.tree('/svc/none').set({ kind: 'neg' })
    const agent = keepAliveAgent()
    const refused = await send(port, { host: 'none', method: 'POST', body: 'x'.repeat(100_000), agent })
    expect(refused.status).toBe(502)
    expect((await send(port, { agent })).body).toBe('web')
  })

  it('passes an upstream error on as it is, without l5d-err', async () => {
    const { port, naming } = await startTestProxy()
    const upstream = await startUpstream((_message, response) => response.writeHead(503, { 'x-mine': '1' }).end('down'))
    naming.route('/svc/web', '/#/web', [endpointAt(upstream.port)])
    const response = await send(port)
    expect(response).toMatchObject({ status: 503, body: 'down', headers: { 'x-mine': '1' } })
    expect(response.headers).not.toHaveProperty('l5d-err')
  })
})

describe('a leaf with a strange id', () => {
  it('is sent in headers as an escaped path', async () => {
    const { port, naming } = await startTestProxy()
    const echo = await startEcho()
    const id = ['#', 'a b/\r\n']
    naming.tree('/svc/web').set(leaf({ id, residual: pathOf('/') }))
    naming
      .replicaSet(String.raw`/#/\x61\x20\x62\x2f\x0d\x0a`)
      .set({ kind: 'bound', endpoints: [endpointAt(echo.port)] })
    const { headers } = JSON.parse((await send(port)).body)
    expect(headers['l5d-dst-client']).toBe(String.raw`/#/\x61\x20\x62\x2f\x0d\x0a`)
  })
})
