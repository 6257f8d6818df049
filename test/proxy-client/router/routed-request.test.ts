import { describe, expect, it } from 'vitest'
import { union } from '../../../naming/name-tree.ts'
import { endpointAt, leafOf } from '../naming.fake.ts'
import { responseHead as headOf } from './fake-upstreams.fixture.ts'
import { createRouterWorld } from './router-world.fixture.ts'

describe('a request', () => {
  it('is sent within the call when its name is bound', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1)
    request({ method: 'POST', target: '/a?b', body: 'hello', fields: [['X-Mine', '1']] })
    expect(upstreams.last.headText).toMatch(
      /^POST \/a\?b HTTP\/1\.1\r\nHost: web\r\nX-Mine: 1\r\nVia: 1\.1 nameplane\r\nl5d-dst-service: \/svc\/web\r\nl5d-dst-client: \/#\/web\r\nl5d-reqid: [0-9a-f]{16}\r\n$/,
    )
    expect(upstreams.last.body).toBe('hello')
  })

  it('has its response relayed as it comes, and is counted at its end', () => {
    const { serve, request, upstreams, telemetry, router } = createRouterWorld()
    serve(1)
    const inbound = request()
    upstreams.last.handler.onInterim(headOf(103))
    upstreams.last.begin(201, [['X-Up', 'a']])
    upstreams.last.handler.onData(Buffer.from('one '))
    expect(inbound).toMatchObject({ status: 201, text: 'one ', state: 'open', interims: [103] })
    expect(router.active).toBe(1)
    upstreams.last.handler.onData(Buffer.from('two'))
    upstreams.last.handler.onEnd(undefined)
    expect(inbound).toMatchObject({ text: 'one two', state: 'ended' })
    expect(inbound.lines).toMatch(/^X-Up: a\r\nVia: 1\.1 nameplane\r\nl5d-success-class: 1\.0\r\nDate: [^\r]+ GMT\r\n$/)
    expect(router.active).toBe(0)
    expect(telemetry.told).toEqual([
      'server here began',
      'service /svc/web began',
      'client /#/web began',
      'client /#/web ended 201 success',
      'service /svc/web ended 201 success',
      'server here ended 201 success',
    ])
    expect(telemetry.records).toMatchObject([
      { method: 'GET', status: 201, service: '/svc/web', client: '/#/web', endpoint: '127.0.0.1:1', attempts: 1 },
    ])
  })

  it('has data paused until its client takes more', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1)
    const inbound = request()
    inbound.takesMore = false
    upstreams.last.begin(200)
    expect(upstreams.last.handler.onData(Buffer.from('x'))).toBe(false)
    inbound.drain()
    expect(upstreams.last.resumed).toBe(1)
  })

  it('tells by l5d-success-class what the classifier made of its response', () => {
    const { serve, request, upstreams, telemetry } = createRouterWorld()
    serve(1)
    const inbound = request()
    upstreams.last.answer(500, '', [['l5d-success-class', '1.0']])
    expect(inbound.header('l5d-success-class')).toBe('0.0')
    expect(telemetry.told.slice(-2)).toEqual(['service /svc/web ended 500 failure', 'server here ended 500 success'])
  })

  it('waits for a name that is not bound, and then for its endpoints', () => {
    const { naming, request, upstreams, clock } = createRouterWorld()
    request()
    naming.tree('/svc/web').set(leafOf('/#/web'))
    clock.settle()
    expect(upstreams.exchanges).toHaveLength(0)
    naming.replicaSet('/#/web').set({ kind: 'bound', endpoints: [endpointAt(7)] })
    clock.settle()
    expect(upstreams.last.port).toBe(7)
  })

  it('waits for name and endpoints together no longer than bindingTimeoutMs', () => {
    const { naming, request, clock } = createRouterWorld({ bindingTimeoutMs: 1000, timeoutStatus: 504 })
    const inbound = request()
    clock.advance(600)
    naming.tree('/svc/web').set(leafOf('/#/web'))
    clock.advance(399)
    expect(inbound.status).toBe(0)
    clock.advance(1)
    expect(inbound.status).toBe(504)
    expect(inbound.error).toBe('resolve: the endpoints of /#/web were not known within 1000 ms (bindingTimeoutMs)')
  })

  it('whose client leaves while it waits for its name leaves nothing behind', () => {
    const { naming, request, upstreams, clock, router, telemetry } = createRouterWorld()
    request().leave()
    naming.route('/svc/web', '/#/web', [endpointAt(1)])
    clock.advance(10_000)
    expect(upstreams.exchanges).toHaveLength(0)
    expect(router.active).toBe(0)
    expect(telemetry.count('service /svc/web ended 499 abandoned')).toBe(1)
  })

  it('whose client leaves has its exchange ended, which says nothing of the endpoint', () => {
    const { serve, request, upstreams, telemetry, router } = createRouterWorld()
    serve(1)
    for (let i = 0; i < 20; i++) {
      request().leave()
      expect(upstreams.last.isAborted).toBe(true)
    }
    expect(telemetry.count('client /#/web ended 499 abandoned')).toBe(20)
    expect(telemetry.count('client /#/web removed')).toBe(0)
    expect(router.active).toBe(0)
  })

  it('that breaks off in its response is cut', () => {
    const { serve, request, upstreams, telemetry } = createRouterWorld()
    serve(1)
    const inbound = request()
    upstreams.last.begin(200)
    upstreams.last.fail('broken', 'reset')
    expect(inbound.state).toBe('cut')
    expect(telemetry.told.slice(-2)).toEqual(['service /svc/web ended 200 failure', 'server here ended 200 failure'])
  })

  it('is 400 when it came through too many proxies', () => {
    const { serve, request, upstreams } = createRouterWorld({}, { maxCallDepth: 2 })
    serve(1)
    request({ fields: [['Via', '1.1 a, 1.1 b']] })
    expect(upstreams.exchanges).toHaveLength(1)
    const inbound = request({
      fields: [
        ['Via', '1.1 a, 1.1 b'],
        ['Via', '1.1 c'],
      ],
    })
    expect([inbound.status, inbound.error.split(':')[0]]).toEqual([400, 'depth'])
    expect(upstreams.exchanges).toHaveLength(1)
  })

  it('at an edge is not led by what its client says, and learns nothing of failures but the stage', () => {
    const { serve, request, upstreams, naming } = createRouterWorld({}, { clearContext: true })
    serve(1)
    naming.tree('/svc/none').set({ kind: 'neg' })
    request({
      fields: [
        ['l5d-dtab', 'malformed'],
        ['l5d-reqid', 'mine'],
        ['l5d-sample', '1.0'],
        ['l5d-ctx-deadline', '0 1'],
      ],
    })
    expect(upstreams.last.headText).not.toMatch(/mine|l5d-sample|deadline/)
    const inbound = request({ host: 'none' })
    expect(inbound.status).toBe(502)
    expect(inbound.text).toBe('the details are not shown here\nstage: bind\n')
    expect(inbound.error).not.toContain('/svc')
  })

  it('bears Forwarded and a time stamp where that is asked for, and keeps a stamp that it came with', () => {
    const { serve, request, upstreams, clock } = createRouterWorld(
      {},
      { forwarded: ({ remoteAddress }) => `for=${remoteAddress}`, timestampHeader: 'X-Start' },
    )
    serve(1)
    request()
    expect([upstreams.last.header('Forwarded'), upstreams.last.header('X-Start')]).toEqual([
      'for=10.0.0.9',
      String(clock.now()),
    ])
    request({ fields: [['x-start', '7']] })
    expect(upstreams.last.headText.match(/x-start: .*/gi)).toEqual(['x-start: 7'])
  })

  it('goes under the host that the namer asks for, and its redirects come back under its own', () => {
    const { naming, request, upstreams, clock } = createRouterWorld()
    naming.tree('/svc/web').set(leafOf('/#/web'))
    naming
      .replicaSet('/#/web')
      .set({ kind: 'bound', endpoints: [endpointAt(1)], metadata: { authority: 'web.internal' } })
    clock.settle()
    const inbound = request()
    expect(upstreams.last.header('Host')).toBe('web.internal')
    upstreams.last.answer(302, '', [['Location', 'http://web.internal/login']])
    expect(inbound.header('Location')).toBe('http://web/login')
  })

  it('to HEAD, and a 304, keep the length that they would have', () => {
    const { serve, request, upstreams } = createRouterWorld()
    serve(1)
    const inbound = request({ method: 'HEAD' })
    upstreams.last.handler.onResponse({ ...headOf(200, [['Content-Length', '10']]), framing: { kind: 'none' } })
    upstreams.last.handler.onEnd(undefined)
    expect(inbound.framing).toEqual({ kind: 'length', bytes: 10 })
  })

  it('draws a leaf of a union by weight', () => {
    const { naming, request, upstreams, clock } = createRouterWorld()
    for (const port of [1, 2]) naming.replicaSet(`/#/${port}`).set({ kind: 'bound', endpoints: [endpointAt(port)] })
    naming.tree('/svc/web').set(
      union([
        { weight: 0.9, tree: leafOf('/#/1') },
        { weight: 0.1, tree: leafOf('/#/2') },
      ]),
    )
    clock.settle()
    upstreams.otherwise = exchange => exchange.answer()
    for (let i = 0; i < 1000; i++) request()
    expect(upstreams.counts[2]).toBeGreaterThan(60)
    expect(upstreams.counts[2]).toBeLessThan(140)
  })

  it('that meets an error of ours is cut, and no other is harmed', () => {
    const { serve, request, upstreams, telemetry, router } = createRouterWorld()
    serve(1)
    const inbound = request()
    const other = request()
    const [first] = upstreams.exchanges
    first?.handler.onResponse({
      ...headOf(200),
      get fields(): never {
        throw new Error('a mistake')
      },
    })
    expect([inbound.state, first?.isAborted]).toEqual(['cut', true])
    upstreams.last.answer(200, 'well')
    expect(other).toMatchObject({ status: 200, text: 'well', state: 'ended' })
    expect(router.active).toBe(0)
    expect(telemetry.count('service /svc/web ended 500 failure')).toBe(1)
  })

  it.each(['write', 'flush'] as const)('is cut too when the error shows while its response is relayed: %s', method => {
    const { serve, request, upstreams, router } = createRouterWorld()
    serve(1)
    const inbound = request()
    upstreams.last.begin(200)
    inbound[method] = () => {
      throw new Error('a mistake')
    }
    upstreams.last.handler.onData(Buffer.from('x'))
    upstreams.last.handler.onFlush()
    expect([inbound.state, upstreams.last.isAborted, router.active]).toEqual(['cut', true, 0])
  })
})
