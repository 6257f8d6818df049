import { afterEach, describe, expect, it } from 'vitest'
import { createPeerProxies } from '../../../api/grpc/proxies-dialer.ts'
import type { ProxiesApplied, ProxySource } from '../../../api/proxies.ts'
import { systemClock } from '../../../watch/clock.ts'
import { startServer, type TestServer, until } from './grpc-api.fixture.ts'

let server: TestServer | undefined
const never = new AbortController().signal

afterEach(() => server?.close())

async function open(): Promise<{ readonly server: TestServer; readonly peer: ProxySource }> {
  server = await startServer()
  return { server, peer: createPeerProxies('b', server.address, systemClock) }
}

function connect({ proxies }: TestServer, id: string) {
  const proxy = proxies.join({ protocol: 'nameplane.v1', confirms: true, address: '10.0.0.1:5' })
  proxy.identify(id, '1.2.3')
  return proxy
}

describe('the proxies of another server', () => {
  it('come with all that is known of them', async () => {
    const { server, peer } = await open()
    server.interpreter.goBy('default', 7)
    const proxy = connect(server, 'edge é')
    proxy.addStreams(2)
    proxy.namespace('default').addNames(3)
    proxy.refused('/svc/web', 'too deep')
    const own = (await server.proxies.page({ limit: 10 })).proxies[0]
    const told = await peer.page({ limit: 10 }, never)
    expect(told).toMatchObject({ total: 1, behind: 1 })
    expect(told.next).toBeUndefined()
    const { since, lastRefusal, namespaces, ...same } = own ?? expect.fail('no proxy')
    expect(told.proxies[0]).toMatchObject({
      ...same,
      server: 'b',
      lastRefusal: { name: '/svc/web', reason: 'too deep' },
    })
    expect(told.proxies[0]?.namespaces).toMatchObject([{ namespace: 'default', names: 3, version: 0 }])
    expect(Math.abs((told.proxies[0]?.since ?? 0) - since)).toBeLessThan(1_000)
    expect([namespaces[0]?.behindSince, lastRefusal?.at].every(at => Number.isInteger(at))).toBe(true)
  })

  it('come in pages, of those that are asked for', async () => {
    const { server, peer } = await open()
    for (const id of ['c', 'a', 'b']) connect(server, id).namespace('default').addNames(1)
    connect(server, 'd')
    const first = await peer.page({ namespace: 'default', isBehind: true, limit: 2 }, never)
    expect([first.proxies.map(({ id }) => id), first.total]).toEqual([['a', 'b'], 3])
    const rest = await peer.page({ namespace: 'default', limit: 2, after: first.next ?? '' }, never)
    expect([rest.proxies.map(({ id }) => id), rest.next]).toEqual([['c'], undefined])
  })

  it('are cut where a page would be larger than a message may be, and come with the next', async () => {
    const { server, peer } = await open()
    for (let i = 0; i < 3; i++) connect(server, `${i}${'x'.repeat(600_000)}`)
    const seen: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await peer.page({ limit: 10, ...(after !== undefined && { after }) }, never)
      seen.push(...page.proxies.map(({ id }) => id[0] ?? ''))
      if (page.next === undefined) break
      after = page.next
    }
    expect(seen).toEqual(['0', '1', '2'])
  })

  it('are counted for a version: at once, then as they change', async () => {
    const { server, peer } = await open()
    server.interpreter.goBy('default', 1)
    const progress = connect(server, 'a').namespace('default')
    progress.addNames(1)
    const heard: ProxiesApplied[] = []
    const stop = peer.followApplied(
      { namespace: 'default', version: 1 },
      { heard: counts => heard.push(counts), lost: () => {} },
    )
    await until(() => heard.length === 1)
    progress.addUnsettled(1)
    progress.addUnsettled(-1)
    await until(() => heard.length === 2)
    expect(heard).toEqual([
      { total: 1, applied: 0 },
      { total: 1, applied: 1 },
    ])
    stop()
  })

  it('are lost with a reason: it stops, nobody is there, its words cannot be read', async () => {
    const { server, peer } = await open()
    const reasons: string[] = []
    let hasHeard = false
    const listener = {
      heard: () => {
        hasHeard = true
      },
      lost: (reason: string) => void reasons.push(reason),
    }
    peer.followApplied({ namespace: 'default', version: 1 }, listener)
    await until(() => hasHeard)
    await server.close()
    await until(() => reasons.length === 1)
    peer.followApplied({ namespace: 'default', version: 1 }, listener)
    await until(() => reasons.length === 2)
    createPeerProxies('b', 'not://an address', systemClock).followApplied({ namespace: 'x', version: 1 }, listener)
    await until(() => reasons.length === 3)
    expect(reasons[0]).toBe('The server is stopping.')
    expect(reasons[1]).toContain('ECONNREFUSED')
    await expect(peer.page({ limit: 1 }, never)).rejects.toThrow('ECONNREFUSED')
  })
})
