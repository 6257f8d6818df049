// S2: PUT said 204, yet the server kept serving the old dtab until its restart; with two servers, a read after an update gave
// the wrong dtab. An answer says who goes by the write; who is behind hears of it, reads again by itself, and is an alarm.
import type { LightMyRequestResponse } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture, turns } from '../api/http/http-api.fixture.ts'
import { request } from '../contract/store.contract.ts'
import { DeafStore } from '../fakes/deaf-store.fake.ts'
import { appear } from '../fakes/servers.fake.ts'

let fixture: Fixture
let deaf: DeafStore
afterEach(() => fixture.close())

/** A server with rules in use, whose store's watch breaks now. */
async function open(): Promise<void> {
  deaf = new DeafStore()
  fixture = await createFixture({ namespaces: { default: '/svc => /#/io.test/v1' }, wrapStore: deaf.wrap })
  for (const name of ['v1', 'v2']) fixture.namer.set(name, '10.0.0.1:80')
  fixture.servers.follow('self:1')
  expect(await bound()).toBe('/#/io.test/v1')
  deaf.isDeaf = true
}

async function bound(): Promise<unknown> {
  const answer = await fixture.api.inject({ url: '/api/bind/default?path=/svc' })
  return answer.json().tree?.bound?.id
}

function put(query = ''): Promise<LightMyRequestResponse> {
  return fixture.api.inject({
    method: 'PUT',
    url: `/api/dtabs/default${query}`,
    headers: { 'content-type': 'application/dtab' },
    payload: '/svc => /#/io.test/v2',
  })
}

/** Moves time on while the event loop turns. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    await turns()
    fixture.clock.advance(1_000)
    fixture.network.say('b')
  }
  await turns()
}

/** Another server writes; ours is not told by its store. */
async function writtenElsewhere(): Promise<void> {
  await fixture.store.write(request('default', '/svc => /#/io.test/v2'))
  await turns()
}

describe('S2: a write while the watch of the store is broken', () => {
  it('is taken up all the same, for the server knows of its own writes', async () => {
    await open()
    const answer = await put()
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { version: 2, applied: true }])
    expect(await bound()).toBe('/#/io.test/v2')
  })

  it('is answered "stored, not yet applied" when it cannot be read again, and taken up by itself once it can', async () => {
    await open()
    deaf.isBlind = true
    const waiting = put()
    await pass(2)
    const answer = await waiting
    expect([answer.statusCode, answer.headers.etag, answer.json()]).toMatchObject([200, '"2"', { applied: false }])
    expect(await bound()).toBe('/#/io.test/v1')
    deaf.isBlind = false
    await pass(1)
    expect(await bound()).toBe('/#/io.test/v2')
  })

  it('says so for this server with wait=applied', async () => {
    await open()
    deaf.isBlind = true
    const waiting = put('?wait=applied&timeout=1s')
    await pass(1)
    expect((await waiting).json()).toMatchObject({
      applied: false,
      servers: [{ id: 'self', replied: true, applied: false, version: 1 }],
    })
  })

  it('goes by namerd’s API too', async () => {
    await open()
    const headers = { 'content-type': 'application/dtab' }
    const payload = '/svc => /#/io.test/v2'
    const answer = await fixture.api.inject({ method: 'PUT', url: '/api/1/dtabs/default', headers, payload })
    expect([answer.statusCode, await bound()]).toEqual([204, '/#/io.test/v2'])
  })
})

describe('S2: a server that is behind another', () => {
  it('reads again by itself as soon as the other says what it goes by', async () => {
    await open()
    await appear(fixture.store, 'b')
    await turns()
    fixture.network.greet('b', { default: 1 })
    await writtenElsewhere()
    expect(await bound()).toBe('/#/io.test/v1')
    fixture.network.say('b', { default: 2 })
    await turns()
    expect(await bound()).toBe('/#/io.test/v2')
    expect(deaf.hints).toEqual(['default 2'])
  })

  it('tries each second while it cannot, is an alarm after five, and stays ready', async () => {
    await open()
    await appear(fixture.store, 'b')
    await turns()
    deaf.isBlind = true
    fixture.network.greet('b', { default: 1 })
    await writtenElsewhere()
    fixture.network.say('b', { default: 2 })
    await pass(7)
    expect(deaf.hints.length).toBeGreaterThanOrEqual(6)
    const listed = (await fixture.api.inject({ url: '/api/servers' })).json()
    expect(listed).toMatchObject({
      disagreementCount: 1,
      disagreements: [{ namespace: 'default', versions: { self: 1, b: 2 } }],
    })
    const said = fixture.log.lines.filter(({ message }) => message.includes('different versions'))
    expect(said).toHaveLength(1)
    deaf.isBlind = false
    await pass(1)
    expect(await bound()).toBe('/#/io.test/v2')
    expect((await fixture.api.inject({ url: '/api/servers' })).json().disagreements).toEqual([])
  })
})
