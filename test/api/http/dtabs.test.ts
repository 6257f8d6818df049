import { afterEach, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from './http-api.fixture.ts'

let fixture: Fixture
afterEach(() => fixture.close())

const dtabText = { 'content-type': 'application/dtab' }
const json = { 'content-type': 'application/json' }
const url = '/api/dtabs/default'

async function put(payload: string, headers: Record<string, string> = {}, query = '') {
  return fixture.api.inject({ method: 'PUT', url: url + query, headers: { ...dtabText, ...headers }, payload })
}

describe('reading and writing a dtab', () => {
  it('creates with 201 and replaces with 200, saying what was replaced', async () => {
    fixture = await createFixture()
    const created = await put('/svc => /#/io.test ; # all\n', { 'nameplane-author': 'ann' }, '?message=first')
    expect(created.statusCode).toBe(201)
    expect(created.headers.etag).toBe('"1"')
    expect(created.json()).toMatchObject({ namespace: 'default', version: 1, author: 'ann', message: 'first' })
    expect(created.json()).not.toHaveProperty('replaced')
    const replaced = await put('/svc => /b')
    expect(replaced.statusCode).toBe(200)
    expect(replaced.json()).toMatchObject({
      version: 2,
      author: '127.0.0.1',
      verified: false,
      replaced: { version: 1, author: 'ann', text: '/svc => /#/io.test ; # all\n' },
    })
  })

  it('gives JSON or the very text that was sent, by Accept', async () => {
    fixture = await createFixture()
    const text = '# rules\n/svc => 0.333 * /a & /b;\n'
    await put(text)
    const asJson = await fixture.api.inject({ url })
    expect(asJson.headers).toMatchObject({ 'content-type': 'application/json', etag: '"1"', vary: 'Accept' })
    expect(asJson.json()).toEqual({
      namespace: 'default',
      version: 1,
      author: '127.0.0.1',
      parent: 0,
      address: '127.0.0.1',
      verified: false,
      message: '',
      time: '2023-11-14T22:13:20.000Z',
      bytes: text.length,
      maxBytes: 16 * 1024 * 1024,
      dtab: [{ prefix: '/svc', dst: '0.333*/a & /b' }],
    })
    const asText = await fixture.api.inject({ url, headers: { accept: 'application/dtab' } })
    expect(asText.headers.etag).toBe('"1-dtab"')
    expect(asText.body).toBe(text)
    const image = await fixture.api.inject({ url, headers: { accept: 'image/png' } })
    expect(image.json()).toMatchObject({ status: 406, code: 'not-acceptable' })
  })

  it('takes what GET gives, and the bare array', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => 0.25 * /b & 0.75 * /c' } })
    const { body } = await fixture.api.inject({ url })
    const again = await fixture.api.inject({ method: 'PUT', url, headers: json, payload: body })
    expect(again.statusCode).toBe(200)
    const dentries = JSON.stringify([{ prefix: '/a', dst: '/x | /y' }])
    await fixture.api.inject({ method: 'PUT', url, headers: json, payload: dentries })
    const read = await fixture.api.inject({ url })
    expect(read.json()).toMatchObject({ version: 3, dtab: [{ prefix: '/a', dst: '/x | /y' }] })
  })

  it('gives an old version, and 404 for what never was or was deleted', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    await put('/a => /c')
    await fixture.api.inject({ method: 'DELETE', url })
    const old = await fixture.api.inject({ url: `${url}?version=1` })
    expect(old.json()).toMatchObject({ version: 1, dtab: [{ prefix: '/a', dst: '/b' }] })
    expect((await fixture.api.inject({ url: `${url}?version=3` })).json()).toMatchObject({ code: 'version-not-found' })
    expect((await fixture.api.inject({ url: `${url}?version=9` })).json()).toMatchObject({ code: 'version-not-found' })
    expect((await fixture.api.inject({ url })).json()).toMatchObject({ code: 'dtab-not-found', deleted: true })
    expect((await fixture.api.inject({ url: '/api/dtabs/nope' })).json()).toMatchObject({ code: 'dtab-not-found' })
  })

  it('lists namespaces, deleted ones on request', async () => {
    fixture = await createFixture({ namespaces: { b: '', a: '/x => /y' } })
    await fixture.api.inject({ method: 'DELETE', url: '/api/dtabs/b' })
    const listed = await fixture.api.inject({ url: '/api/dtabs' })
    expect(listed.json().namespaces).toMatchObject([{ namespace: 'a', version: 1, bytes: 8, deleted: false }])
    const all = await fixture.api.inject({ url: '/api/dtabs?deleted=true' })
    expect(all.json().namespaces).toMatchObject([{ namespace: 'a' }, { namespace: 'b', version: 2, deleted: true }])
  })
})

describe('edits, history and rollback', () => {
  it('edits single dentries and refuses what does not fit', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b ; /a => /c' } })
    const patch = (ops: unknown) =>
      fixture.api.inject({ method: 'PATCH', url, headers: json, payload: JSON.stringify({ ops }) })
    const done = await patch([
      { op: 'set', prefix: '/new', dst: '/n' },
      { op: 'remove', prefix: '/a', index: 0 },
      { op: 'insert', prefix: '/first', dst: '/f', before: '/a' },
    ])
    expect(done.statusCode).toBe(200)
    const { dtab } = (await fixture.api.inject({ url })).json()
    expect(dtab.map(({ prefix }: { prefix: string }) => prefix)).toEqual(['/first', '/a', '/new'])
    const absent = await patch([{ op: 'remove', prefix: '/zzz' }])
    expect(absent.json()).toMatchObject({ status: 409, code: 'edit-conflict', op: 0 })
    expect((await patch([{ op: 'set', prefix: '/a', dst: null }])).json()).toMatchObject({
      status: 400,
      at: '/ops/0/dst',
    })
    expect((await patch([])).json()).toMatchObject({ status: 400, at: '/ops' })
  })

  it('pages through versions and shows what changed between two', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    await put('/a => /b ; /c => /d')
    await fixture.api.inject({ method: 'DELETE', url })
    const page = await fixture.api.inject({ url: `${url}/versions?limit=2` })
    expect(page.json()).toMatchObject({ next: 2, versions: [{ version: 3, deleted: true, parent: 2 }, { version: 2 }] })
    const rest = await fixture.api.inject({ url: `${url}/versions?limit=2&before=2` })
    expect(rest.json()).not.toHaveProperty('next')
    expect(rest.json().versions).toMatchObject([{ version: 1, parent: 0 }])
    const diff = await fixture.api.inject({ url: `${url}/diff?from=1&to=2` })
    expect(diff.json().changes).toEqual([{ change: 'added', index: 1, prefix: '/c', dst: '/d' }])
    const toHead = await fixture.api.inject({ url: `${url}/diff?from=2` })
    expect(toHead.json()).toMatchObject({ to: 3, changes: [{ change: 'removed' }, { change: 'removed' }] })
  })

  it('restores a deleted namespace with 201 and refuses to roll back to a deletion', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    const gone = await fixture.api.inject({ method: 'DELETE', url })
    expect(gone.json()).toMatchObject({ version: 2, deleted: true, replaced: { version: 1 } })
    const rollback = (version: number) =>
      fixture.api.inject({
        method: 'POST',
        url: `${url}/rollback`,
        headers: json,
        payload: JSON.stringify({ version }),
      })
    expect((await rollback(2)).json()).toMatchObject({ status: 409, code: 'edit-conflict' })
    const restored = await rollback(1)
    expect(restored.statusCode).toBe(201)
    expect(restored.json()).toMatchObject({ version: 3, replaced: { version: 2, deleted: true } })
    expect((await rollback(77)).json()).toMatchObject({ status: 404, code: 'version-not-found' })
  })
})

describe('conditional requests', () => {
  it('compares the number in If-Match, lists and * included, weak tags never', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    expect((await put('/a => /c', { 'if-match': '"1"' })).statusCode).toBe(200)
    expect((await put('/a => /d', { 'if-match': '"1", "2-dtab"' })).statusCode).toBe(200)
    expect((await put('/a => /e', { 'if-match': '*' })).statusCode).toBe(200)
    for (const tag of ['"3"', 'W/"4"', '"x"']) {
      expect((await put('/a => /no', { 'if-match': tag })).statusCode, tag).toBe(412)
    }
    expect((await put('/a => /no', { 'if-match': '4' })).json()).toMatchObject({ status: 400, at: 'If-Match' })
    expect((await fixture.store.head('default'))?.version).toBe(4)
  })

  it('tells the loser the present version, its author and what changed', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    await put('/a => /c', { 'nameplane-author': 'ann' })
    const lost = await put('/a => /d', { 'if-match': '"1"' })
    expect(lost.headers['content-type']).toBe('application/problem+json')
    expect(lost.json()).toMatchObject({
      status: 412,
      code: 'dtab-version-mismatch',
      presentVersion: 2,
      author: 'ann',
      time: '2023-11-14T22:13:20.000Z',
      diff: { from: 1, to: 2, text: '- /a => /b ;\n+ /a => /c ;\n' },
    })
  })

  it('creates only when nothing is there with If-None-Match: *', async () => {
    fixture = await createFixture()
    expect((await put('/a => /b', { 'if-none-match': '*' })).statusCode).toBe(201)
    expect((await put('/a => /b', { 'if-none-match': '*' })).json()).toMatchObject({ status: 412 })
    expect((await put('/a => /b', { 'if-none-match': '"1"' })).statusCode).toBe(400)
    expect((await put('/a => /b', { 'if-none-match': '*', 'if-match': '*' })).statusCode).toBe(400)
  })

  it('answers 412 to If-Match: * on a namespace that is not there', async () => {
    fixture = await createFixture()
    expect((await put('/a => /b', { 'if-match': '*' })).statusCode).toBe(412)
    expect((await put('/a => /b', { 'if-match': '"1"' })).statusCode).toBe(412)
    expect(await fixture.store.head('default')).toBeUndefined()
  })

  it('saves a body with 304, per representation', async () => {
    fixture = await createFixture({ namespaces: { default: '/a => /b' } })
    const get = (headers: Record<string, string>) => fixture.api.inject({ url, headers })
    const fresh = await get({ 'if-none-match': 'W/"1"' })
    expect([fresh.statusCode, fresh.body, fresh.headers.etag, fresh.headers.vary]).toEqual([304, '', '"1"', 'Accept'])
    expect((await get({ 'if-none-match': '*' })).statusCode).toBe(304)
    expect((await get({ 'if-none-match': '"1"', accept: 'application/dtab' })).statusCode).toBe(200)
    expect((await get({ 'if-none-match': '"1-dtab"', accept: 'application/dtab' })).statusCode).toBe(304)
    expect((await get({ 'if-match': '"2"' })).statusCode).toBe(412)
  })
})

describe('Idempotency-Key', () => {
  it('answers a repeated write with the version it made', async () => {
    fixture = await createFixture()
    const key = { 'idempotency-key': 'k-1' }
    await put('/a => /b', key)
    await put('/a => /c')
    const again = await put('/a => /b', key)
    expect(again.json()).toMatchObject({ version: 1, repeated: true })
    expect(again.statusCode).toBe(201)
    expect((await fixture.store.head('default'))?.version).toBe(2)
  })

  it('refuses a key that stands for another method, query or body', async () => {
    fixture = await createFixture()
    const key = { 'idempotency-key': 'k-1' }
    await put('/a => /b', key)
    expect((await put('/a => /x', key)).json()).toMatchObject({ status: 422, code: 'idempotency-key-reused' })
    expect((await put('/a => /b', key, '?message=x')).statusCode).toBe(422)
    const other = await fixture.api.inject({ method: 'DELETE', url, headers: key })
    expect(other.statusCode).toBe(422)
    expect((await put('/a => /b', { 'idempotency-key': 'not valid' })).json()).toMatchObject({
      status: 400,
      at: 'Idempotency-Key',
    })
  })
})
