// Requests that are nearly right: conditions, charsets, encodings, numbers, combinations that mean nothing.
import { gzipSync } from 'node:zlib'
import type { InjectOptions } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from './http-api.fixture.ts'

let fixture: Fixture
beforeEach(async () => {
  fixture = await createFixture({ namespaces: { default: '/svc => /a' } })
})
afterEach(() => fixture.close())

const url = '/api/dtabs/default'
const json = { 'content-type': 'application/json' }
const text = { 'content-type': 'application/dtab' }

async function outcome(request: InjectOptions): Promise<readonly [status: number, code: string | undefined]> {
  const answer = await fixture.api.inject(request)
  return [answer.statusCode, answer.json().code]
}

describe('the condition of a write', () => {
  const patch = { method: 'PATCH', url, payload: '{"ops":[{"op":"set","prefix":"/b","dst":"/c"}]}' } as const
  const rollback = { method: 'POST', url: `${url}/rollback`, payload: '{"version":1}' } as const
  const remove = { method: 'DELETE', url } as const

  it.each([
    ['PATCH', patch],
    ['DELETE', remove],
    ['rollback', rollback],
  ])('is 412 when it fails, for %s as for PUT, and nothing is written', async (_, request) => {
    for (const condition of [{ 'if-none-match': '*' }, { 'if-match': '"7", "8"' }, { 'if-match': 'W/"1"' }]) {
      const headers = { ...(request.method !== 'DELETE' && json), ...condition }
      expect(await outcome({ ...request, headers })).toEqual([412, 'dtab-version-mismatch'])
    }
    expect((await fixture.store.head('default'))?.version).toBe(1)
  })

  it('may list versions, one of which is the present one', async () => {
    const headers = { ...json, 'if-match': '"9", "1-dtab"' }
    expect((await fixture.api.inject({ ...patch, headers })).statusCode).toBe(200)
    expect((await fixture.api.inject({ ...remove, headers: { 'if-match': '"1","2"' } })).statusCode).toBe(200)
  })

  it('does not hide that there is nothing to change, but keeps a rollback from restoring', async () => {
    await fixture.api.inject(remove)
    const headers = { 'if-match': '*' }
    expect(await outcome({ ...remove, headers })).toEqual([404, 'dtab-not-found'])
    expect(await outcome({ ...patch, headers: { ...json, ...headers } })).toEqual([404, 'dtab-not-found'])
    expect(await outcome({ ...rollback, headers: { ...json, ...headers } })).toEqual([412, 'dtab-version-mismatch'])
  })

  it('of namerd never matches a namespace that was never there', async () => {
    for (const ifMatch of ['*', 'AAAAAAAAAAA=', 'AAAAAAAAAAE=', 'AAAA']) {
      const headers = { ...text, 'if-match': ifMatch }
      const answer = await fixture.api.inject({ method: 'PUT', url: '/api/1/dtabs/new', headers, payload: '/a=>/b' })
      expect([answer.statusCode, answer.body]).toEqual([404, ''])
    }
    expect(await fixture.store.head('new')).toBeUndefined()
  })
})

describe('a body', () => {
  const put = { method: 'PUT', url, payload: '/a => /b' } as const

  it.each(['iso-8859-1', '"UTF-16"', 'windows-1252; x=y'])(
    'in the charset %s is refused, never misread',
    async charset => {
      const headers = { 'content-type': `application/dtab; charset=${charset}` }
      expect(await outcome({ ...put, headers })).toEqual([415, 'unsupported-media-type'])
    },
  )

  it.each(['utf-8', '"UTF-8"', 'us-ascii', 'utf8; x=y'])('in the charset %s is taken', async charset => {
    const headers = { 'content-type': `Application/DTAB ; Charset=${charset}`, 'content-encoding': 'Identity' }
    expect((await fixture.api.inject({ ...put, headers })).statusCode).toBe(200)
  })

  it('that is compressed is 415 for ours and namerd alike', async () => {
    const payload = gzipSync('/a => /b')
    const headers = { ...text, 'content-encoding': 'gzip' }
    expect(await outcome({ ...put, headers, payload })).toEqual([415, 'unsupported-media-type'])
    const namerds = await fixture.api.inject({ method: 'PUT', url: '/api/1/dtabs/default', headers, payload })
    expect([namerds.statusCode, namerds.body]).toEqual([415, ''])
  })

  it.each([text, json])('that begins with a byte order mark is refused in words that show it', async headers => {
    const answer = await fixture.api.inject({ ...put, headers, payload: '\uFEFF[]' })
    expect(answer.json()).toMatchObject({ status: 400, line: 1, column: 1 })
    expect(answer.json().detail).toMatch(/byte order mark/)
  })

  it('that can only be small is refused when it is large, before it is read', async () => {
    const payload = JSON.stringify({ version: 1, path: '/a', dtab: '/a=>/b;'.repeat(50_000) })
    const answers = await Promise.all([
      fixture.api.inject({ method: 'POST', url: `${url}/rollback`, headers: json, payload }),
      fixture.api.inject({ method: 'POST', url: '/api/1/delegate?path=/a', headers: json, payload }),
    ])
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([413, 413])
  })

  it('with lines that end in CR LF is stored as it is and means the same', async () => {
    const payload = '/a => /b ;\r\n# why\r\n/c => /d ;\r\n'
    await fixture.api.inject({ ...put, headers: text, payload })
    expect((await fixture.api.inject({ url, headers: { accept: 'application/dtab' } })).body).toBe(payload)
    expect((await fixture.api.inject({ url })).json().dtab).toHaveLength(2)
  })
})

describe('a query', () => {
  it('cannot watch an old version', async () => {
    const answer = await fixture.api.inject({ url: `${url}?version=1&watch=true` })
    expect(answer.json()).toMatchObject({ status: 400, code: 'bad-request', at: 'version' })
    expect(answer.json().detail).toMatch(/cannot be watched/)
    expect((await fixture.api.inject({ url: `${url}?version=1&watch=false` })).statusCode).toBe(200)
  })

  it.each([
    `${url}?version=0x1`,
    `${url}?version=1e0`,
    `${url}?version=%201`,
    `${url}?version=`,
    `${url}?version=0`,
    `${url}?version=1&version=1`,
    `${url}?version=9999999999999999`,
    `${url}/diff?from=`,
    `${url}/diff?from=-1`,
    `${url}/versions?limit=0`,
    `${url}/versions?limit=101`,
    '/api/bind/default?path=/a&path=/b',
    `${url}?watch=true&watch=true`,
  ])('%s is refused', async url => {
    expect(await outcome({ url })).toEqual([400, 'bad-request'])
  })
})

describe('a URL', () => {
  it.each([
    ['/api/dtabs/def%61ult', 200],
    ['/api/dtabs/default/', 404],
    ['/api/dtabs/', 400],
    ['/api/dtabs/a%2Fb', 400],
  ])('%s is %i', async (url, status) => {
    expect((await fixture.api.inject({ url })).statusCode).toBe(status)
  })

  it('answers HEAD as GET without a body, and OPTIONS with the methods it has', async () => {
    const [got, head] = [await fixture.api.inject({ url }), await fixture.api.inject({ url, method: 'HEAD' })]
    expect(head.body).toBe('')
    const { date: _, ...headers } = got.headers
    expect(head.headers).toMatchObject(headers)
    const options = await fixture.api.inject({ url, method: 'OPTIONS' })
    expect([options.statusCode, options.headers.allow]).toEqual([405, 'DELETE, GET, HEAD, PATCH, PUT'])
  })

  it('has an ETag of its own for the text, which the JSON does not share', async () => {
    const asked = (accept: string, tag: string): Promise<{ statusCode: number }> =>
      fixture.api.inject({ url, headers: { accept, 'if-none-match': tag } })
    expect((await asked('text/plain', '"1"')).statusCode).toBe(200)
    expect((await asked('text/plain', 'W/"1-dtab"')).statusCode).toBe(304)
    expect((await asked('application/json', '"1-dtab"')).statusCode).toBe(200)
    expect((await asked('application/json', '"0", W/"1"')).statusCode).toBe(304)
  })
})

describe('an unknown query parameter', () => {
  it('is named', async () => {
    const answer = await fixture.api.inject({ url: '/api/bind/default?path=/svc&bogus=1' })
    expect([answer.statusCode, answer.json().detail]).toEqual([400, 'query: Unrecognized key: "bogus"'])
  })
})
