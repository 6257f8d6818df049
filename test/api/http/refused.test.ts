// S3, over HTTP: a text in the store that is no dtab is seen, with its place; what was there before stays in force.
import { afterEach, describe, expect, it } from 'vitest'
import { Judge } from '../../contract/openapi.fixture.ts'
import { RefusingStore, refusedText } from '../../fakes/refusing-store.fake.ts'
import { createFixture, type Fixture, openStream } from './http-api.fixture.ts'

const judge = new Judge()
const shown = { reason: "'=>' expected.", line: 2, column: 4, bytes: 12, since: '2023-11-14T22:13:20.000Z' }
const store = new RefusingStore()
let fixture: Fixture
afterEach(() => fixture.close())

async function open(): Promise<Fixture> {
  fixture = await createFixture({ namespaces: { default: '/a => /b', fine: '/c => /d' }, wrapStore: store.wrap })
  return fixture
}

/** An answer that openapi.yaml describes. */
async function get(path: string, url: string) {
  const answer = await fixture.api.inject({ url })
  expect(judge.objection(path, 'get', answer)).toBeUndefined()
  return answer.json()
}

describe('a text in the store that is no dtab', () => {
  it('is shown beside the version that stays in force, and gone when it is gone', async () => {
    await open()
    store.refuse(refusedText('default'))
    const dtab = '/api/dtabs/{namespace}'
    expect(await get(dtab, '/api/dtabs/default')).toMatchObject({
      version: 1,
      dtab: [{ prefix: '/a' }],
      refused: shown,
    })
    expect(await get(`${dtab}/versions`, '/api/dtabs/default/versions')).toMatchObject({ refused: shown })
    expect(await get(dtab, '/api/dtabs/default?version=1')).not.toHaveProperty('refused')
    expect(await get(dtab, '/api/dtabs/fine')).not.toHaveProperty('refused')
    store.refuse()
    expect(await get(dtab, '/api/dtabs/default')).not.toHaveProperty('refused')
  })

  it('is shown in the listing: in its row, or apart where the namespace has none', async () => {
    await open()
    store.refuse(refusedText('default'), refusedText('only'))
    const list = await get('/api/dtabs', '/api/dtabs')
    expect(list.namespaces).toMatchObject([{ namespace: 'default', refused: shown }, { namespace: 'fine' }])
    expect(list.namespaces[1]).not.toHaveProperty('refused')
    expect(list.refused).toEqual([{ namespace: 'only', ...shown }])
  })

  it('is told with the 404 of a namespace that has no version', async () => {
    await open()
    store.refuse(refusedText('only'))
    for (const [path, url] of [
      ['/api/dtabs/{namespace}', '/api/dtabs/only'],
      ['/api/dtabs/{namespace}/versions', '/api/dtabs/only/versions'],
    ] as const)
      expect(await get(path, url)).toMatchObject({
        status: 404,
        code: 'dtab-not-found',
        detail: expect.stringContaining("no dtab: '=>' expected."),
        refused: shown,
      })
  })

  it('makes an event of a watch when it comes and when it goes, with the same hash', async () => {
    const { api } = await open()
    const { port } = await api.listen({ host: '127.0.0.1', port: 0 })
    const stream = await openStream(port, '/api/dtabs/default?watch=true')
    const list = await openStream(port, '/api/dtabs?watch=true')
    const first = await stream.event()
    await list.event()
    expect(first).not.toHaveProperty('refused')
    store.refuse(refusedText('default'))
    const second = await stream.event()
    expect(second).toMatchObject({ dtabVersion: 1, hash: first.hash, dtab: [{ prefix: '/a' }], refused: shown })
    expect(judge.schemaObjection('DtabEvent', second)).toBeUndefined()
    const listed = await list.event()
    expect(listed).toMatchObject({ namespaces: [{ refused: shown }, {}] })
    expect(judge.schemaObjection('NamespaceListEvent', listed)).toBeUndefined()
    store.refuse()
    expect(await stream.event()).not.toHaveProperty('refused')
    stream.response.destroy()
    list.response.destroy()
  })

  it('is nothing to namerd’s clients', async () => {
    await open()
    store.refuse(refusedText('default'), refusedText('only'))
    expect((await fixture.api.inject({ url: '/api/1/dtabs' })).json()).toEqual(['default', 'fine'])
    expect((await fixture.api.inject({ url: '/api/1/dtabs/default' })).json()).toEqual([{ prefix: '/a', dst: '/b' }])
    expect((await fixture.api.inject({ url: '/api/1/dtabs/only' })).statusCode).toBe(404)
  })
})
