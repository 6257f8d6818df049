import type { LightMyRequestResponse } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProxyRecord } from '../../../api/push/proxy-registry.ts'
import { appear } from '../../fakes/servers.fake.ts'
import { createFixture, type Fixture, turns } from './http-api.fixture.ts'

let fixture: Fixture

beforeEach(async () => {
  fixture = await createFixture({ namespaces: { default: '/svc => /x' } })
})
afterEach(() => fixture.close())

/** A proxy with one name of `default`, which it has. */
function connect(id: string, address = `${id}:1`): ProxyRecord {
  const proxy = fixture.proxies.join({ protocol: 'nameplane.v1', confirms: true, address })
  proxy.identify(id, '1.0.0')
  proxy.addStreams(1)
  proxy.namespace('default').addNames(1)
  return proxy
}

async function confirm(proxy: ProxyRecord): Promise<void> {
  proxy.namespace('default').addUnsettled(1)
  proxy.namespace('default').addUnsettled(-1)
  await turns()
}

function get(query = ''): Promise<LightMyRequestResponse> {
  return fixture.api.inject({ url: `/api/proxies${query}` })
}

function put(query: string): Promise<LightMyRequestResponse> {
  return fixture.api.inject({
    method: 'PUT',
    url: `/api/dtabs/default${query}`,
    headers: { 'content-type': 'application/dtab' },
    payload: '/svc => /y',
  })
}

describe('GET /api/proxies', () => {
  it('says what each proxy has applied, and since when it is behind', async () => {
    const web = connect('web')
    await confirm(web)
    web.namespace('default').addUnsettled(1)
    web.refused('/svc/web', 'no such cluster')
    fixture.clock.advance(90_000)
    expect((await get()).json()).toEqual({
      time: '2023-11-14T22:14:50.000Z',
      total: 1,
      behind: 1,
      proxies: [
        {
          id: 'web',
          server: 'self',
          protocol: 'nameplane.v1',
          confirms: true,
          version: '1.0.0',
          address: 'web:1',
          since: '2023-11-14T22:13:20.000Z',
          streams: 1,
          isBehind: true,
          namespaces: [
            {
              namespace: 'default',
              names: 1,
              version: 1,
              newest: 1,
              behindSince: '2023-11-14T22:13:20.000Z',
              behindMs: 90_000,
            },
          ],
          namespaceCount: 1,
          refusals: 1,
          lastRefusal: { name: '/svc/web', reason: 'no such cluster', at: '2023-11-14T22:13:20.000Z' },
        },
      ],
      silent: [],
    })
  })

  it('counts a proxy as behind whose server goes by an older version than another', async () => {
    await confirm(connect('web'))
    expect((await get('?behind=true')).json()).toMatchObject({ total: 1, behind: 0, proxies: [] })
    fixture.servers.follow('self:1')
    await appear(fixture.store, 'b')
    await turns()
    fixture.network.greet('b', { default: 3 })
    fixture.peers.at('b').part = { proxies: [], total: 0, behind: 0 }
    const behind = (await get('?behind=true')).json()
    expect(behind).toMatchObject({ total: 1, behind: 1, proxies: [{ id: 'web', isBehind: true }] })
    expect(behind.proxies[0].namespaces).toEqual([{ namespace: 'default', names: 1, version: 1, newest: 3 }])
  })

  it('gives pages that lack nobody, of those that are asked for', async () => {
    for (const id of ['a', 'c', 'b', 'b']) await confirm(connect(id))
    const other = fixture.proxies.join({ protocol: 'io.linkerd.mesh', confirms: false, address: 'other:1' })
    other.namespace('other').addNames(1)
    const seen: string[] = []
    for (let after = ''; ; ) {
      const page = (await get(`?namespace=default&limit=3${after}`)).json()
      expect([page.total, page.behind]).toEqual([4, 0])
      seen.push(...page.proxies.map(({ id }: { readonly id: string }) => id))
      if (page.next === undefined) break
      after = `&after=${encodeURIComponent(page.next)}`
    }
    expect(seen).toEqual(['a', 'b', 'b', 'c'])
  })

  it('names a server that does not answer, and waits for it two seconds', async () => {
    fixture.servers.follow('self:1')
    await Promise.all(['b', 'c', 'd'].map(id => appear(fixture.store, id)))
    await turns()
    fixture.network.greet('b')
    fixture.network.greet('c')
    fixture.peers.at('b').part = new Error('connection refused')
    await confirm(connect('web'))
    const answer = get()
    await turns()
    fixture.clock.advance(2_000)
    expect((await answer).json()).toMatchObject({
      total: 1,
      proxies: [{ id: 'web' }],
      silent: [
        { id: 'b', error: 'connection refused' },
        { id: 'c', error: 'no answer within 2000 ms' },
        { id: 'd', error: 'it has not been asked yet' },
      ],
    })
  })

  it.each([
    ['?behind=maybe', 'behind'],
    ['?after=x', 'must be `next` of the page before'],
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?namespace=a%2Fb', 'is no name of a namespace'],
    ['?watch=true', 'watch'],
  ])('refuses %s', async (query, said) => {
    const answer = await get(query)
    expect([answer.statusCode, answer.body.includes(said)]).toEqual([400, true])
  })
})

describe('a write that waits for proxies', () => {
  beforeEach(() => fixture.servers.follow('self:1'))

  it.each([
    ['proxies:50%25', 2],
    ['proxies:50%', 2],
    ['proxies:2', 2],
    ['proxies:66.667%25', 3],
    ['proxies:100%25', 4],
  ])('with %s is answered once %s of 4 have it', async (wait, enough) => {
    const proxies = ['a', 'b', 'c', 'd'].map(id => connect(id))
    for (const proxy of proxies) await confirm(proxy)
    for (const proxy of proxies) proxy.namespace('default').addUnsettled(1)
    const answer = put(`?wait=${wait}&timeout=60s`)
    await turns()
    let isDone = false
    void answer.then(() => {
      isDone = true
    })
    for (const proxy of proxies.slice(0, enough)) {
      fixture.clock.advance(100)
      await turns()
      expect(isDone).toBe(false)
      proxy.namespace('default').addUnsettled(-1)
    }
    fixture.clock.advance(100)
    expect((await answer).json()).toMatchObject({
      version: 2,
      applied: true,
      proxies: { total: 4, applied: enough, silent: [] },
    })
  })

  it('says how many have it when the time is over', async () => {
    await confirm(connect('a'))
    const late = connect('b')
    await confirm(late)
    late.namespace('default').addUnsettled(1)
    const answer = put('?wait=proxies:100%25&timeout=2s')
    await turns()
    fixture.clock.advance(2_000)
    expect((await answer).json()).toMatchObject({
      applied: false,
      proxies: { total: 2, applied: 1, silent: [] },
    })
  })

  it('is answered at once where nobody follows a name', async () => {
    expect((await put('?wait=proxies:95%25')).json()).toMatchObject({
      applied: true,
      proxies: { total: 0, applied: 0 },
    })
  })

  it.each([
    'proxies',
    'proxies:',
    'proxies:0',
    'proxies:0%25',
    'proxies:101%25',
    'proxies:95,5%25',
    'proxies:-1',
    'some',
  ])('refuses %s and says what there is', async wait => {
    const answer = await put(`?wait=${wait}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().detail).toContain('proxies:95% (that share of the proxies')
  })
})
