// The two per-request rules that linkerd was shown with, along chains of applications: a calls b calls c, a calls e.
import type { IncomingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import { Mesh, type PassOn, passContext } from './mesh.fixture.ts'
import { send } from './proxy.fixture.ts'

const chain = (): Promise<Mesh> =>
  Mesh.open(async mesh => ({
    a: await mesh.caller('a', 'b'),
    b: await mesh.caller('b', 'c'),
    b2: await mesh.caller('b2', 'c'),
    c: await mesh.app('c'),
  }))

describe('a staging version for one request', () => {
  const staging = { 'l5d-dtab': '/svc/b => /svc/b2' }

  it('takes the place of one service, however far along the chain, and of no other', async () => {
    const mesh = await chain()
    const port = await mesh.proxy()
    expect((await send(port, { host: 'a', headers: staging })).body).toBe('a b2 c')
    expect((await send(port, { host: 'a' })).body).toBe('a b c')
  })

  it('is carried by l5d-ctx-dtab from hop to hop, and l5d-dtab is not', async () => {
    const mesh = await chain()
    await send(await mesh.proxy(), { host: 'a', headers: staging })
    for (const app of ['a', 'b2', 'c']) {
      expect(mesh.lastCall(app)['l5d-ctx-dtab']).toBe('/svc/b => /svc/b2')
      expect(mesh.lastCall(app)['l5d-dtab']).toBeUndefined()
    }
    expect(mesh.lastCall('b2')).toMatchObject({
      'l5d-dst-service': '/svc/b',
      'l5d-dst-client': expect.stringMatching(/^\/\$\/inet\/127\.0\.0\.1\/\d+$/),
      'l5d-reqid': mesh.lastCall('a')['l5d-reqid'],
    })
  })

  it('ends with an application that does not pass the context on', async () => {
    const mesh = await Mesh.open(async mesh => ({
      a: await mesh.caller('a', 'b', () => ({})),
      b: await mesh.app('b'),
      b2: await mesh.app('b2'),
    }))
    expect((await send(await mesh.proxy(), { host: 'a', headers: staging })).body).toBe('a b')
  })

  it('does not get past an edge with clearContext, under either name', async () => {
    const mesh = await chain()
    const edge = await mesh.proxy({ clearContext: true })
    const headers = { ...staging, 'l5d-ctx-dtab': '/svc/c => /svc/b2', 'l5d-ctx-trace': 'AA==', 'x-mine': '1' }
    expect((await send(edge, { host: 'a', headers })).body).toBe('a b c')
    expect(Object.keys(mesh.lastCall('a')).filter(name => name.startsWith('l5d-'))).toEqual([
      'l5d-dst-service',
      'l5d-dst-client',
      'l5d-reqid',
    ])
    expect(mesh.lastCall('a')['x-mine']).toBe('1')
  })
})

describe('a debug proxy in the path of one request', () => {
  const debug = { 'l5d-dtab': '/svc/e => /svc/p/svc/e' }

  /** p calls the service that l5d-dst-residual names, through its own proxy. */
  const withDebugProxy = (passOn: PassOn, server: object = {}): Promise<Mesh> =>
    Mesh.open(async mesh => {
      const port = await mesh.proxy(server)
      const forward = async (headers: IncomingHttpHeaders) => {
        const [, name = 'nobody'] = /^\/svc\/(.+)$/.exec(String(headers['l5d-dst-residual'])) ?? []
        return send(port, { host: name, headers: { ...passOn(headers), via: String(headers.via) } })
      }
      return { a: await mesh.caller('a', 'e'), e: await mesh.app('e'), p: await mesh.app('p', forward) }
    })

  it('gets what it stands before as the residual, and passes the request on', async () => {
    const mesh = await withDebugProxy(() => ({}))
    const port = await mesh.proxy()
    expect((await send(port, { host: 'a', headers: debug })).body).toBe('a p e')
    expect(mesh.lastCall('p')).toMatchObject({
      host: 'e',
      'l5d-dst-service': '/svc/e',
      'l5d-dst-residual': '/svc/e',
      'l5d-ctx-dtab': '/svc/e => /svc/p/svc/e',
    })
    expect(mesh.lastCall('e')['l5d-ctx-dtab']).toBeUndefined()
    expect((await send(port, { host: 'a' })).body).toBe('a e')
  })

  it('that passes on the rule that led to it makes a circle, which ends at maxCallDepth', async () => {
    const mesh = await withDebugProxy(passContext, { maxCallDepth: 5 })
    const response = await send(await mesh.proxy(), { host: 'e', headers: debug })
    expect(response.status).toBe(400)
    expect(response.body).toContain('the request came through more than 5 proxies')
    expect(mesh.calls.map(({ app }) => app)).toEqual(['p', 'p', 'p', 'p', 'p', 'p'])
  })
})
