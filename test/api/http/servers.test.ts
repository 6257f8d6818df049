import type { LightMyRequestResponse } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Presence } from '../../../storage/store.ts'
import { appear } from '../../fakes/servers.fake.ts'
import { createFixture, type Fixture, turns } from './http-api.fixture.ts'

let fixture: Fixture
let presence: Presence

/** A server at version 1 of `default`, and `b` that goes by the same. */
beforeEach(async () => {
  fixture = await createFixture({ namespaces: { default: '/svc => /x' } })
  fixture.servers.follow('self:1')
  presence = await appear(fixture.store, 'b')
  await turns()
  fixture.network.greet('b', { default: 1 })
})

/** b stops. */
async function leave(): Promise<void> {
  await presence.withdraw()
  fixture.network.lose('b', 'it stops')
  await turns()
}
afterEach(() => fixture.close())

function put(query: string, headers: Readonly<Record<string, string>> = {}): Promise<LightMyRequestResponse> {
  return fixture.api.inject({
    method: 'PUT',
    url: `/api/dtabs/default${query}`,
    headers: { 'content-type': 'application/dtab', ...headers },
    payload: '/svc => /y',
  })
}

async function passed(answer: Promise<LightMyRequestResponse>, ms: number): Promise<LightMyRequestResponse> {
  await turns()
  fixture.clock.advance(ms)
  return await answer
}

describe('the answer to a write', () => {
  it('says that this server goes by it, and nothing of others when they were not asked for', async () => {
    const answer = await put('')
    expect(answer.json().applied).toBe(true)
    expect(answer.json()).not.toHaveProperty('servers')
  })

  it('with wait=all comes when the last server goes by it', async () => {
    const waiting = put('?wait=all')
    await turns()
    fixture.network.say('b', { default: 2 })
    expect((await waiting).json()).toMatchObject({
      version: 2,
      applied: true,
      servers: [
        { id: 'b', replied: true, applied: true, version: 2 },
        { id: 'self', replied: true, applied: true, version: 2 },
      ],
    })
  })

  it.each([
    ['?wait=all', 5_000],
    ['?wait=all&timeout=1s', 1_000],
    ['?wait=all&timeout=250ms', 250],
    ['?wait=all&timeout=70', 70],
    ['?wait=all&timeout=0.5s', 500],
    ['?wait=all&timeout=1000s', 60_000],
  ])('with %s comes after the time, with who is behind, and is a success all the same', async (query, ms) => {
    let isOver = false
    const waiting = put(query).finally(() => {
      isOver = true
    })
    await turns()
    for (let left = ms - 1; left > 0; left -= 2_000) {
      fixture.clock.advance(Math.min(2_000, left))
      fixture.network.say('b')
    }
    await turns()
    expect(isOver).toBe(false)
    const answer = await passed(waiting, 1)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      { applied: false, servers: [{ id: 'b', replied: true, applied: false, version: 1 }, { id: 'self' }] },
    ])
  })

  it('with wait=all names a server that does not reply', async () => {
    const waiting = put('?wait=all')
    await turns()
    fixture.clock.advance(4_000)
    const answer = await passed(waiting, 1_000)
    expect(answer.json().servers[0]).toEqual({ id: 'b', replied: false, applied: false })
  })

  it('with wait=all ends with the stop of the server', async () => {
    const waiting = put('?wait=all&timeout=60s')
    await turns()
    fixture.shutdown.abort()
    expect((await waiting).json()).toMatchObject({ applied: false })
  })

  it.each(['PATCH', 'DELETE', 'POST'] as const)('to %s says it too', async method => {
    await leave()
    const url = `/api/dtabs/default${method === 'POST' ? '/rollback' : ''}?wait=all`
    const payload = {
      PATCH: '{"ops":[{"op":"set","prefix":"/a","dst":"/b"}]}',
      POST: '{"version":1}',
      DELETE: '',
    }[method]
    const headers = { 'content-type': 'application/json' }
    const answer = await fixture.api.inject({ method, url, ...(payload !== '' && { payload, headers }) })
    expect(answer.json()).toMatchObject({ applied: true, servers: [{ id: 'self', version: 2 }] })
  })

  it.each(['?wait=some', '?wait=all&timeout=soon', '?wait=all&timeout=-1', '?timeout=5s', '?wait=all&timeout='])(
    'to a request with %s is 400 and nothing is written',
    async query => {
      const answer = await put(query)
      expect([answer.statusCode, answer.json().code]).toEqual([400, 'bad-request'])
      expect((await fixture.store.head('default'))?.version).toBe(1)
    },
  )

  it('is that of the first time for the same Idempotency-Key with another wait', async () => {
    await leave()
    const headers = { 'idempotency-key': 'k' }
    const first = await put('?message=m', headers)
    const again = await put('?wait=all&message=m&timeout=1s', headers)
    expect([first.json().version, again.json()]).toMatchObject([2, { version: 2, repeated: true, applied: true }])
    expect((await put('?message=n', headers)).statusCode).toBe(422)
  })
})

describe('the answer to an import', () => {
  it('with wait=all says which servers go by all that was written', async () => {
    const exported = (await fixture.api.inject({ url: '/api/export' })).body
    const target = await createFixture()
    target.servers.follow('self:1')
    await appear(target.store, 'b')
    await turns()
    target.network.greet('b')
    const send = (query: string): Promise<LightMyRequestResponse> =>
      target.api.inject({
        method: 'POST',
        url: `/api/import${query}`,
        headers: { 'content-type': 'application/x-ndjson' },
        payload: exported,
      })
    const waiting = send('?wait=all&timeout=1s')
    await passedUntil(async () => (await target.store.head('default')) !== undefined)
    await turns()
    target.clock.advance(1_000)
    expect((await waiting).json()).toMatchObject({
      applied: false,
      counts: { imported: 1 },
      servers: [
        { id: 'b', replied: true, applied: false },
        { id: 'self', replied: true, applied: true },
      ],
    })
    const again = send('?wait=all&timeout=1s')
    await turns()
    target.clock.advance(1_000)
    expect((await again).json()).toMatchObject({ applied: false, counts: { identical: 1 } })
    expect((await send('')).json()).not.toHaveProperty('applied')
    expect((await send('?timeout=1s')).statusCode).toBe(400)
    await target.close()
  })
})

async function passedUntil(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await turns(1)
}

describe('GET /api/servers', () => {
  const get = async (): Promise<Record<string, unknown>> => (await fixture.api.inject({ url: '/api/servers' })).json()

  it('lists who there is, with what each is, and no disagreement', async () => {
    expect(await get()).toMatchObject({
      servers: [
        { id: 'b', isSelf: false, address: 'b:1', version: '1.0.0', replies: true, namespaces: 1 },
        { id: 'self', isSelf: true, address: 'self:1', replies: true, namespaces: 1 },
      ],
      disagreements: [],
      disagreementCount: 0,
    })
  })

  it('says who does not reply, since when and why', async () => {
    fixture.clock.advance(1_000)
    fixture.network.lose('b', 'connection refused')
    expect(await get()).toMatchObject({
      servers: [{ id: 'b', replies: false, error: 'connection refused', since: '2023-11-14T22:13:21.000Z' }, {}],
    })
  })

  it('changes its hash with what it shows, not with each version', async () => {
    const { hash } = await get()
    await put('')
    fixture.network.say('b', { default: 2 })
    expect((await get()).hash).toBe(hash)
    fixture.network.say('b', { other: 1 })
    expect((await get()).hash).not.toBe(hash)
  })
})
