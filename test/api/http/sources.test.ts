// The routes of sources: what is strange in a request changes nothing and is said to be wrong.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bareNamer, createFixture, FakeGuard, type Fixture } from './http-api.fixture.ts'

let fixture: Fixture
let guard: FakeGuard
beforeEach(async () => {
  guard = new FakeGuard()
  guard.holding = ['a', 'b'].map(name => ({ name, since: 5 }))
  fixture = await createFixture({ alsoSources: [bareNamer(['#', 'us', 'consul'], guard)] })
})
afterEach(() => fixture.close())

const url = '/api/sources/us%2Fconsul'

async function get(path: string): Promise<readonly [status: number, code: unknown]> {
  const answer = await fixture.api.inject({ method: 'GET', url: path })
  return [answer.statusCode, answer.json().code]
}

async function release(payload?: string, query = ''): Promise<readonly [status: number, released: unknown]> {
  const request = { method: 'POST', url: `${url}/release${query}`, ...(payload !== undefined && { payload }) } as const
  const answer = await fixture.api.inject(request)
  return [answer.statusCode, answer.json().released]
}

describe('a request for sources', () => {
  it.each(['..%2F..%2Fetc', '%00', '__proto__', 'constructor', 'a'.repeat(9_000), ''])(
    'finds no source %j',
    async id => {
      expect(await get(`/api/sources/${id}`)).toEqual([404, 'source-not-found'])
    },
  )

  it.each([
    '?limit=0',
    '?limit=1001',
    '?limit=1e3',
    '?limit=1&limit=2',
    '?state=lost',
    '?state=ok&state=held',
    '?names=a',
  ])('is refused with %s', async query => {
    expect(await get(`${url}${query}`)).toEqual([400, 'bad-request'])
  })

  it('takes an id as a prefix too', async () => {
    expect(await get('/api/sources/%2F%23%2Fus%2Fconsul')).toEqual([200, undefined])
  })
})

describe('a release', () => {
  it('that comes twice at once releases once', async () => {
    expect(await Promise.all([release(), release('{}')])).toEqual([
      [200, 2],
      [200, 0],
    ])
  })

  it('refuses to choose among the names, for a release cannot be taken back', async () => {
    expect(await release('{"names":["a"]}')).toEqual([400, undefined])
    expect(await release(undefined, '?name=a')).toEqual([400, undefined])
    expect(guard.held()).toHaveLength(2)
  })
})
