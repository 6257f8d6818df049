// /api/1/dtabs beside what was measured on namerd 1.7.5.
import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture, turns } from '../http-api.fixture.ts'

let fixture: Fixture
afterEach(() => fixture.close())

const v = ['', 'AAAAAAAAAAE=', 'AAAAAAAAAAI=', 'AAAAAAAAAAM=']
const text = { 'content-type': 'application/dtab' }
const json = { 'content-type': 'application/json' }

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS'

async function ask(method: Method, path: string, headers: Record<string, string> = {}, payload?: string) {
  const answer = await fixture.api.inject({
    method,
    url: `/api/1/${path}`,
    headers,
    ...(payload !== undefined && { payload }),
  })
  return {
    status: answer.statusCode,
    body: answer.body,
    type: answer.headers['content-type'],
    etag: answer.headers.etag,
    connection: answer.headers.connection,
    length: answer.headers['content-length'],
  }
}

describe('GET /api/1/dtabs', () => {
  it('lists the sorted names for any method, with or without a trailing slash', async () => {
    fixture = await createFixture({ namespaces: { b: '', a: '' } })
    for (const method of ['GET', 'POST', 'PUT', 'DELETE'] as const) {
      for (const path of ['dtabs', 'dtabs/']) {
        expect(await ask(method, path)).toMatchObject({ status: 200, body: '["a","b"]\n', type: 'application/json' })
      }
    }
  })

  it('gives a dtab as JSON, or as the text type that Accept names first', async () => {
    fixture = await createFixture({ namespaces: { default: '# c\n/svc => /#/io.l5d.fs ;\n/w => 0.333 * /a & /b' } })
    expect(await ask('GET', 'dtabs/default')).toMatchObject({
      status: 200,
      etag: v[1],
      type: 'application/json',
      body: '[{"prefix":"/svc","dst":"/#/io.l5d.fs"},{"prefix":"/w","dst":"0.33*/a & /b"}]\n',
    })
    const shown = '/svc=>/#/io.l5d.fs;/w=>0.33*/a & /b\n'
    const asText = { accept: 'image/png, TEXT/plain;q=0.1, application/json' }
    expect(await ask('GET', 'dtabs/default', asText)).toMatchObject({ type: 'text/plain', body: shown })
    const asDtab = { accept: 'application/dtab', 'if-none-match': v[1] ?? '' }
    expect(await ask('GET', 'dtabs/default', asDtab)).toMatchObject({
      status: 200,
      type: 'application/dtab',
      body: shown,
    })
    expect(await ask('GET', 'dtabs/default', { accept: '*/*' })).toMatchObject({ type: 'application/json' })
  })

  it('gives an empty dtab as [] or as a bare newline', async () => {
    fixture = await createFixture({ namespaces: { e: '' } })
    expect((await ask('GET', 'dtabs/e')).body).toBe('[]\n')
    expect((await ask('GET', 'dtabs/e', { accept: 'text/plain' })).body).toBe('\n')
  })

  it('answers an unknown namespace with an empty 404, and HEAD with the version alone', async () => {
    fixture = await createFixture({ namespaces: { default: '' } })
    expect(await ask('GET', 'dtabs/nope')).toMatchObject({ status: 404, body: '', length: '0' })
    expect(await ask('HEAD', 'dtabs/nope')).toMatchObject({ status: 404 })
    expect(await ask('HEAD', 'dtabs/default')).toMatchObject({ status: 200, etag: v[1], body: '', connection: 'close' })
  })

  it('does not decode the namespace, and refuses one outside the grammar', async () => {
    fixture = await createFixture({ namespaces: { 'a.b': '' } })
    for (const ns of ['a%2Eb', 'a%20b', 'a/b', '-a', 'a'.repeat(254)]) {
      expect((await ask('GET', `dtabs/${ns}`)).status, ns).toBe(400)
      expect((await ask('PUT', `dtabs/${ns}`, text, '/a=>/b')).status, ns).toBe(400)
    }
    expect((await ask('GET', 'dtabs/a.b')).status).toBe(200)
  })

  it('answers other methods and unknown URLs with an empty 404', async () => {
    fixture = await createFixture({ namespaces: { default: '' } })
    expect(await ask('PATCH', 'dtabs/default')).toMatchObject({ status: 404, body: '' })
    expect(await ask('OPTIONS', 'dtabs/default')).toMatchObject({ status: 404, body: '' })
    expect(await ask('GET', 'dtabsx')).toMatchObject({ status: 404, body: '', length: '0' })
  })
})

describe('POST /api/1/dtabs/NS', () => {
  it('creates with 204 and no ETag, and does not replace', async () => {
    fixture = await createFixture()
    expect(await ask('POST', 'dtabs/n', text, '/a=>/b')).toMatchObject({ status: 204, body: '', etag: undefined })
    expect(await ask('POST', 'dtabs/n', text, '/a=>/c')).toMatchObject({ status: 409, body: '' })
    expect((await ask('GET', 'dtabs/n')).body).toBe('[{"prefix":"/a","dst":"/b"}]\n')
    expect((await ask('POST', 'dtabs/e', { 'content-type': 'Text/Plain; charset=utf-8' }, '')).status).toBe(204)
  })

  it('answers 400 without a text, but for a null entry', async () => {
    fixture = await createFixture()
    const nulls = 'The dtab contains invalid dentries: [null]'
    expect(await ask('POST', 'dtabs/n', json, '[null]')).toMatchObject({ status: 400, body: nulls })
    const bad = ['', '{}', '[{"prefix":"/a","dst":"/b","x":1}]', '[{"prefix":"a","dst":"/b"}]', '[{"prefix":"/a"}]']
    for (const body of bad) expect(await ask('POST', 'dtabs/n', json, body)).toMatchObject({ status: 400, body: '' })
    expect(await ask('POST', 'dtabs/n', text, '/a=>')).toMatchObject({ status: 400, body: '' })
    expect(await ask('POST', 'dtabs/n', { 'content-type': 'text/html' }, '/a=>/b')).toMatchObject({
      status: 400,
      body: '',
    })
  })
})

describe('PUT and DELETE /api/1/dtabs/NS', () => {
  it('creates or overwrites with 204 and counts versions, equal text too', async () => {
    fixture = await createFixture()
    for (const version of v.slice(1)) {
      expect(await ask('PUT', 'dtabs/n', text, '/a=>/b')).toMatchObject({ status: 204, etag: undefined, body: '' })
      expect((await ask('GET', 'dtabs/n')).etag).toBe(version)
    }
  })

  it('compares If-Match as bytes in base64, quotes tolerated', async () => {
    fixture = await createFixture({ namespaces: { n: '' } })
    const put = (match: string) => ask('PUT', 'dtabs/n', { ...text, 'if-match': match }, '/a=>/b')
    expect((await put(v[1] ?? '')).status).toBe(204)
    expect((await put(`"${v[2]}"`)).status).toBe(204)
    expect(await put(v[1] ?? '')).toMatchObject({ status: 412, body: '' })
    expect((await put('*')).status).toBe(412)
    expect(await put('not base64 !!')).toMatchObject({ status: 500, body: '', connection: 'close' })
    expect((await put(`W/"${v[3]}"`)).status).toBe(500)
    const unknown = await ask('PUT', 'dtabs/nope', { ...text, 'if-match': v[1] ?? '' }, '/a=>/b')
    expect(unknown).toMatchObject({ status: 404, body: '' })
  })

  it("gives the parser's message for text and nothing for JSON", async () => {
    fixture = await createFixture()
    expect(await ask('PUT', 'dtabs/n', text, '/a=>')).toMatchObject({
      status: 400,
      body: "simple expected but end of input found at '/a=>[]'",
    })
    expect(await ask('PUT', 'dtabs/n', json, '[{"prefix":"/a","dst":""}]')).toMatchObject({ status: 400, body: '' })
    expect(await ask('PUT', 'dtabs/n', { 'content-type': 'text/html' }, '/a=>/b')).toMatchObject({
      status: 400,
      body: 'Invalid Content-Type "text/html". ',
    })
    expect(await ask('PUT', 'dtabs/n')).toMatchObject({ status: 400, body: 'Invalid Content-Type "". ' })
    expect(await fixture.store.head('n')).toBeUndefined()
  })

  it('deletes with 204, whatever If-Match says, and never gives a number twice', async () => {
    fixture = await createFixture({ namespaces: { n: '' } })
    expect((await ask('DELETE', 'dtabs/n', { 'if-match': 'x' })).status).toBe(204)
    expect(await ask('DELETE', 'dtabs/n')).toMatchObject({ status: 404, body: '' })
    await ask('PUT', 'dtabs/n', text, '/a=>/b')
    expect((await ask('GET', 'dtabs/n')).etag).toBe(v[3])
  })
})

describe('watching /api/1/dtabs', () => {
  it('sends a chunk for each version, nothing for a deletion, and goes on after it', async () => {
    fixture = await createFixture()
    const stream = fixture.api.inject({ url: '/api/1/dtabs/n?watch=T', headers: { accept: 'application/dtab' } })
    await turns()
    for (const payload of ['/a=>/b', '/a=>/b', undefined, '/a=>/c']) {
      await (payload === undefined ? ask('DELETE', 'dtabs/n') : ask('PUT', 'dtabs/n', text, payload))
      await turns()
    }
    fixture.shutdown.abort()
    const answer = await stream
    expect(answer.headers).not.toHaveProperty('etag')
    expect(answer.headers['content-type']).toBe('application/dtab')
    expect(answer.body).toBe('/a=>/b\n/a=>/b\n/a=>/c\n')
  })

  it('sends the names again when they change', async () => {
    fixture = await createFixture({ namespaces: { a: '' } })
    const stream = fixture.api.inject({ url: '/api/1/dtabs?watch=1' })
    await turns()
    await ask('PUT', 'dtabs/b', text, '')
    await turns()
    await ask('PUT', 'dtabs/b', text, '')
    await turns()
    fixture.shutdown.abort()
    expect((await stream).body).toBe('["a"]\n["a","b"]\n')
  })

  it('takes other values of watch as no watch', async () => {
    fixture = await createFixture({ namespaces: { a: '' } })
    for (const value of ['0', 'yes', '', 'false'])
      expect((await ask('GET', `dtabs/a?watch=${value}`)).body).toBe('[]\n')
  })
})
