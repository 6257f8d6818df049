import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture, type FixtureOptions, openStream, turns } from './http-api.fixture.ts'
import { SpiedStore } from './spied-store.fake.ts'

let fixture: Fixture
afterEach(() => fixture.close())

const rules = '/svc => /#/io.test ; /split => 3 * /#/io.test/web & 7 * /#/io.test/api'

async function open(options: FixtureOptions = {}): Promise<void> {
  fixture = await createFixture({ namespaces: { default: rules }, ...options })
  fixture.namer.set('web', '10.0.0.1:80')
  fixture.namer.set('api', '10.0.0.2:80')
}

const get = async (url: string) => (await fixture.api.inject({ url })).json()

describe('a binding over HTTP', () => {
  it('stands in an envelope with the namespace, its version and a hash of the content', async () => {
    await open()
    const bound = await get('/api/bind/default?path=/svc/web/rest')
    expect(bound).toMatchObject({
      namespace: 'default',
      namespaceExists: true,
      dtabVersion: 1,
      tree: { type: 'leaf', bound: { id: '/#/io.test/web', path: '/rest', addr: { addrs: [{ ip: '10.0.0.1' }] } } },
    })
    expect((await get('/api/bind/default?path=/svc/web/rest')).hash).toBe(bound.hash)
    expect((await get('/api/bind/default?path=/svc/api/rest')).hash).not.toBe(bound.hash)
  })

  it('takes an unknown namespace as an empty dtab and says that it does not exist', async () => {
    await open()
    expect(await get('/api/bind/nope?path=/svc/web')).toMatchObject({
      namespaceExists: false,
      dtabVersion: 0,
      tree: { type: 'neg' },
    })
  })

  it('does not say whether a namespace exists before the store has', async () => {
    await open({
      wrapStore: (store, kernel) => ({ ...new SpiedStore().wrap(store), observe: () => kernel.input('silence') }),
      pendingGraceMs: 0,
    })
    for (const what of ['bind/default?path=/svc/web', 'addr/default?path=/%23/io.test/web']) {
      const answer = await get(`/api/${what}`)
      expect([answer.namespace, answer.dtabVersion]).toEqual(['default', 0])
      expect(answer).not.toHaveProperty('namespaceExists')
    }
  })

  it('shows the present version after an equal write, and present addresses after a change', async () => {
    await open()
    const { hash } = await get('/api/bind/default?path=/svc/web')
    const headers = { 'content-type': 'text/plain' }
    await fixture.api.inject({ method: 'PUT', url: '/api/dtabs/default', headers, payload: `${rules};` })
    fixture.namer.set('web', '10.9.9.9:80')
    await turns()
    expect(await get('/api/bind/default?path=/svc/web')).toMatchObject({
      dtabVersion: 2,
      hash,
      tree: { bound: { addr: { addrs: [{ ip: '10.9.9.9' }] } } },
    })
  })

  it('gives a watch that comes late the present addresses, from the cell that the others share', async () => {
    await open()
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const url = '/api/bind/default?path=/svc/web&watch=true'
    const early = await openStream(port, url)
    await early.event()
    fixture.namer.set('web', '10.9.9.9:80')
    await turns()
    const late = await openStream(port, url)
    expect(await late.event()).toMatchObject({ tree: { bound: { addr: { addrs: [{ ip: '10.9.9.9' }] } } } })
    fixture.clock.advance(15_000)
    expect(await early.event()).toMatchObject({ type: 'heartbeat' })
  })

  it('does not take a comment in a path for a local dtab', async () => {
    await open()
    const dtab = encodeURIComponent('/svc/web => ~ | !')
    const local = await get(`/api/bind/default?path=${encodeURIComponent('/svc/web #x')}&dtab=${dtab}`)
    expect(local.tree.type).toBe('fail')
    const commented = await get(`/api/bind/default?path=${encodeURIComponent('/svc/web #x ')}${dtab}`)
    expect(commented.tree.type).toBe('leaf')
  })

  it('waits for a short grace and then says what it waits for', async () => {
    await open({ pendingGraceMs: 100 })
    const answer = get('/api/bind/default?path=/svc/wait')
    await turns()
    fixture.clock.advance(100)
    expect(await answer).toMatchObject({ pending: { waitingFor: '/#/io.test/wait' } })
    const late = fixture.namer.set('late')
    const known = get('/api/resolve/default?path=/svc/late')
    await turns()
    late.set({ kind: 'bound', endpoints: [] })
    expect(await known).toMatchObject({ addr: { type: 'bound', addrs: [] } })
  })

  it('says 503 for a name whose backend is away, and leaves the log to the source', async () => {
    await open()
    fixture.namer.failing = 'web'
    const answer = await fixture.api.inject({ url: '/api/bind/default?path=/svc/web' })
    expect([answer.statusCode, answer.json().code]).toEqual([503, 'namer-unavailable'])
    expect(fixture.log.lines).toEqual([])
  })

  it('keeps what was asked for warm for a while, and then lets go of it', async () => {
    await open()
    const { watchers, openSources } = fixture.kernel.counts()
    await get('/api/bind/default?path=/svc/web')
    const { evaluations } = fixture.kernel.counts()
    for (let i = 0; i < 50; i++) await get('/api/bind/default?path=/svc/web')
    expect(fixture.kernel.counts().evaluations).toBe(evaluations)
    for (let i = 0; i < 4; i++) {
      await turns(2)
      fixture.clock.advance(120_000)
    }
    expect(fixture.kernel.counts()).toMatchObject({ watchers, openSources })
  })
})

describe('an explanation over HTTP', () => {
  it('shows every alternative with the dentry that led there, exactly', async () => {
    await open()
    const { tree } = await get('/api/delegate/default?path=/split')
    expect(tree).toMatchObject({
      type: 'union',
      path: '/split',
      union: [
        { weight: 3, tree: { type: 'leaf', dentry: { dst: '3*/#/io.test/web & 7*/#/io.test/api' } } },
        { weight: 7 },
      ],
    })
  })

  it('says what the namer knows of a name that is neg, except to clients of namerd', async () => {
    await open()
    fixture.namer.set('api').set({ kind: 'neg', why: 'it exists, but has no usable endpoint' })
    await turns()
    const { tree } = await get('/api/delegate/default?path=/svc/api')
    expect(tree).toMatchObject({ delegate: { type: 'neg', why: 'it exists, but has no usable endpoint' } })
    expect((await get('/api/delegate/default?path=/svc/nope')).tree.delegate).not.toHaveProperty('why')
    expect((await get('/api/1/delegate/default?path=/svc/api')).delegate).toMatchObject({ type: 'neg' })
    expect((await get('/api/1/delegate/default?path=/svc/api')).delegate).not.toHaveProperty('why')
    fixture.namer.set('api').set({ kind: 'neg' })
    await turns()
    expect((await get('/api/delegate/default?path=/svc/api')).tree.delegate).not.toHaveProperty('why')
  })

  it('E4: is rate limited per client and leaves watches alone', async () => {
    await open({ explanationsPerSecond: 10 })
    const ask = () => fixture.api.inject({ url: '/api/delegate/default?path=/svc/nope' })
    const first = await Promise.all(Array.from({ length: 5_00 }, ask))
    const refused = first.filter(({ statusCode }) => statusCode === 429)
    expect(first.length - refused.length).toBe(20)
    expect(refused[0]?.headers['retry-after']).toBe('1')
    expect((await fixture.api.inject({ url: '/api/bind/default?path=/svc/web' })).statusCode).toBe(200)
    fixture.clock.advance(1_000)
    expect((await ask()).statusCode).toBe(200)
  })
})
