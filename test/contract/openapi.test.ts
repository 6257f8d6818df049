// Drives the server with openapi.yaml: every documented answer is provoked, every answer is documented.
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import {
  bareNamer,
  createFixture,
  FakeGuard,
  type Fixture,
  type FixtureOptions,
  turns,
} from '../api/http/http-api.fixture.ts'
import { appear } from '../fakes/servers.fake.ts'
import { description, Judge } from './openapi.fixture.ts'

const judge = new Judge()
const guard = new FakeGuard()
let fixture: Fixture | undefined

const json = { 'content-type': 'application/json' }
const text = { 'content-type': 'application/dtab' }
const dtab = '/api/dtabs/{namespace}'
const rules = '/svc => /#/io.test ; /split => 0.3 * /#/io.test/web & 0.7 * /#/io.test/late ; /loop => /loop'

type Call = readonly [path: string, status: number, request: InjectOptions]

const call = (path: string, status: number, request: InjectOptions = {}): Call => [path, status, request]

async function open(options: FixtureOptions = {}): Promise<Fixture> {
  fixture = await createFixture({ namespaces: { default: rules }, ...options })
  fixture.servers.follow('self:1')
  fixture.namer.set('web', '10.0.0.1:80', '10.0.0.2:80')
  fixture.namer.set('late')
  return fixture
}

afterEach(async () => {
  await fixture?.close()
  fixture = undefined
})

function urlOf(path: string, request: InjectOptions): InjectOptions {
  return { ...request, url: request.url ?? path.replace('{namespace}', 'default') }
}

function approve(path: string, status: number, method: string, answer: LightMyRequestResponse): void {
  expect(answer.statusCode, `${method} ${path}: ${answer.body.slice(0, 300)}`).toBe(status)
  expect(judge.objection(path, method.toLowerCase(), answer)).toBeUndefined()
}

async function runAll(api: Fixture['api'], calls: readonly Call[]): Promise<void> {
  for (const [path, status, request] of calls) {
    approve(path, status, request.method ?? 'GET', await api.inject(urlOf(path, request)))
  }
}

const put = (payload: string, headers = {}, url = '/api/dtabs/default'): InjectOptions => ({
  method: 'PUT',
  url,
  headers: { ...text, ...headers },
  payload,
})
const patch = (body: unknown, headers = {}, url = '/api/dtabs/default'): InjectOptions => ({
  method: 'PATCH',
  url,
  headers: { ...json, ...headers },
  payload: JSON.stringify(body),
})
const rollback = (body: unknown, headers = {}, url = '/api/dtabs/default/rollback'): InjectOptions => ({
  method: 'POST',
  url,
  headers: { ...json, ...headers },
  payload: JSON.stringify(body),
})
const setOp = { ops: [{ op: 'set', prefix: '/svc', dst: '/x' }] }

describe('openapi.yaml describes every answer', () => {
  it('about the API itself', async () => {
    const { api } = await open()
    await runAll(api, [call('/', 200), call('/openapi.yaml', 200)])
  })

  it('about reading dtabs', async () => {
    const { api } = await open()
    await api.inject({ method: 'DELETE', url: '/api/dtabs/default' })
    await api.inject(put(rules))
    await runAll(api, [
      call('/api/dtabs', 200, { url: '/api/dtabs?deleted=true' }),
      call('/api/dtabs', 400, { url: '/api/dtabs?nonsense=1' }),
      call(dtab, 200),
      call(dtab, 200, { headers: { accept: 'application/dtab' } }),
      call(dtab, 304, { headers: { 'if-none-match': '"3"' } }),
      call(dtab, 400, { url: '/api/dtabs/a%2Fb' }),
      call(dtab, 404, { url: '/api/dtabs/nope' }),
      call(dtab, 404, { url: '/api/dtabs/default?version=2' }),
      call(dtab, 406, { headers: { accept: 'image/png' } }),
      call(dtab, 412, { headers: { 'if-match': '"1"' } }),
      call(`${dtab}/versions`, 200),
      call(`${dtab}/versions`, 400, { url: '/api/dtabs/default/versions?limit=0' }),
      call(`${dtab}/versions`, 404, { url: '/api/dtabs/nope/versions' }),
      call(`${dtab}/diff`, 200, { url: '/api/dtabs/default/diff?from=1&to=2' }),
      call(`${dtab}/diff`, 400, { url: '/api/dtabs/default/diff' }),
      call(`${dtab}/diff`, 404, { url: '/api/dtabs/default/diff?from=99' }),
    ])
  })

  it('about PUT', async () => {
    const { api } = await open({ maxDtabBytes: 1_000 })
    await runAll(api, [
      call(dtab, 200, put('/a => /b')),
      call(dtab, 200, put('/a => /b', {}, '/api/dtabs/default?wait=all&timeout=1s')),
      call(dtab, 200, put('/a => /b', {}, '/api/dtabs/default?wait=applied')),
      call(dtab, 400, put('/a => /b', {}, '/api/dtabs/default?timeout=1s')),
      call(dtab, 201, put('/a => /b', {}, '/api/dtabs/new')),
      call(dtab, 200, { ...put('[{"prefix":"/a","dst":"/b"}]'), headers: json }),
      call(dtab, 400, put('/a => ')),
      call(dtab, 400, { ...put('[{"prefix":"/a","dst":null}]'), headers: json }),
      call(dtab, 412, put('/a => /b', { 'if-match': '"1"' })),
      call(dtab, 412, put('/a => /b', { 'if-none-match': '*' })),
      call(dtab, 413, put('/a => /b ;'.repeat(101))),
      call(dtab, 413, { ...put(`"${'x'.repeat(80_000)}"`), headers: json }),
      call(dtab, 415, put('<a/>', { 'content-type': 'text/xml' })),
      call(dtab, 200, put('/a => /b', { 'idempotency-key': 'k' })),
      call(dtab, 422, put('/a => /c', { 'idempotency-key': 'k' })),
    ])
  })

  it('about PATCH', async () => {
    const { api } = await open({ maxDtabBytes: 1_000 })
    const tooLong = {
      ops: Array.from({ length: 40 }, (_, i) => ({ op: 'set', prefix: `/p${i}`, dst: `/${'x'.repeat(40)}` })),
    }
    await runAll(api, [
      call(dtab, 200, patch(setOp, { 'idempotency-key': 'k' })),
      call(dtab, 400, patch({ ops: null })),
      call(dtab, 404, patch(setOp, {}, '/api/dtabs/nope')),
      call(dtab, 409, patch({ ops: [{ op: 'remove', prefix: '/nope' }] })),
      call(dtab, 412, patch(setOp, { 'if-match': '"1"' })),
      call(dtab, 413, patch(tooLong)),
      call(dtab, 415, patch(setOp, { 'content-type': 'text/plain' })),
      call(dtab, 422, patch({ ops: [{ op: 'set', prefix: '/svc', dst: '/y' }] }, { 'idempotency-key': 'k' })),
    ])
  })

  it('about DELETE and rollback', async () => {
    const { api } = await open()
    const remove = (headers = {}): InjectOptions => ({ method: 'DELETE', url: '/api/dtabs/default', headers })
    const back = `${dtab}/rollback`
    await runAll(api, [
      call(dtab, 400, remove({ 'if-match': 'nonsense' })),
      call(dtab, 412, remove({ 'if-match': '"9"' })),
      call(dtab, 200, remove({ 'idempotency-key': 'k' })),
      call(dtab, 404, remove()),
      call(back, 201, rollback({ version: 1 })),
      call(back, 200, rollback({ version: 1 })),
      call(dtab, 422, { ...remove({ 'idempotency-key': 'k' }), url: '/api/dtabs/default?message=x' }),
      call(back, 400, rollback({ version: null })),
      call(back, 404, rollback({ version: 99 })),
      call(back, 409, rollback({ version: 2 })),
      call(back, 412, rollback({ version: 1 }, { 'if-match': '"1"' })),
      call(back, 415, rollback({ version: 1 }, { 'content-type': 'text/plain' })),
      call(back, 422, rollback({ version: 1 }, { 'idempotency-key': 'k' })),
    ])
  })

  it('about export and import', async () => {
    const { api } = await open({ maxDtabBytes: 1_000 })
    await api.inject(put('/a => /b', { 'idempotency-key': 'k' }))
    await api.inject({ method: 'DELETE', url: '/api/dtabs/default' })
    const file = (await api.inject({ url: '/api/export' })).body
    const take = (payload: string, query = ''): InjectOptions => ({
      method: 'POST',
      url: `/api/import${query}`,
      headers: { 'content-type': 'application/x-ndjson' },
      payload,
    })
    const other = file.replaceAll('/a => /b', '/a => /c')
    await runAll(api, [
      call('/api/export', 200),
      call('/api/export', 200, { url: '/api/export?namespace=default&history=false' }),
      call('/api/export', 400, { url: '/api/export?history=perhaps' }),
      call('/api/export', 404, { url: '/api/export?namespace=nope' }),
      call('/api/import', 200, take(file)),
      call('/api/import', 200, take(other, '?dryRun=true')),
      call('/api/import', 200, take(file.replaceAll('"default"', '"new"'))),
      call('/api/import', 400, take('{}')),
      call('/api/import', 409, take(other)),
      call('/api/import', 413, take(file.replaceAll('"default"', '"more"').replace('/b', `/${'b'.repeat(1_000)}`))),
      call('/api/import', 415, { ...take(file), headers: json }),
    ])
  })

  it('about a rollback to a version that became too large for the store', async () => {
    const { api } = await open({ maxDtabBytes: 10 })
    await runAll(api, [call(`${dtab}/rollback`, 413, rollback({ version: 1 }))])
  })

  it('about evaluation', async () => {
    const { api } = await open({ explanationsPerSecond: 3 })
    const asked = (question: string, query: string): InjectOptions => ({ url: `/api/${question}/default?${query}` })
    const at = (question: string): string => `/api/${question}/{namespace}`
    await runAll(api, [
      ...['/svc/web/rest', '/split', '/svc/wait', '/nope', '/svc/late'].flatMap(path => [
        call(at('bind'), 200, asked('bind', `path=${path}`)),
        call(at('resolve'), 200, asked('resolve', `path=${path}`)),
      ]),
      call(at('bind'), 200, { url: '/api/bind/unknown?path=/svc/web' }),
      call(
        at('bind'),
        200,
        asked('bind', `path=/x&dtab=${encodeURIComponent(`/x => ${'9'.repeat(400)} * /svc/web & 1 * /$/nil`)}`),
      ),
      call(at('bind'), 400, asked('bind', 'path=svc')),
      call(at('bind'), 422, asked('bind', 'path=/loop')),
      call(at('resolve'), 400, asked('resolve', '')),
      call(at('resolve'), 422, asked('resolve', 'path=/loop')),
      call(at('addr'), 200, asked('addr', 'path=/%23/io.test/web')),
      call(at('addr'), 200, asked('addr', 'path=/%23/io.test/nope')),
      call(at('addr'), 200, asked('addr', 'path=/%23/io.test/late')),
      call(at('addr'), 200, asked('addr', 'path=/$/nil')),
      call(at('addr'), 400, asked('addr', 'path=x')),
      call(at('addr'), 422, asked('addr', 'path=/$/nonsense')),
      ...['/svc/web', '/split', '/svc/wait'].map(path => call(at('delegate'), 200, asked('delegate', `path=${path}`))),
      call(at('delegate'), 400, asked('delegate', 'path=')),
      call(at('delegate'), 422, asked('delegate', 'path=/loop')),
      call(at('delegate'), 200, asked('delegate', 'path=/nope')),
      call(at('delegate'), 429, asked('delegate', 'path=/svc/web')),
      call('/api/bound-names', 200),
      call('/api/bound-names', 400, { url: '/api/bound-names?x=y' }),
    ])
  })

  it('about servers', async () => {
    const { api } = await open()
    await runAll(api, [call('/api/servers', 200), call('/api/servers', 400, { url: '/api/servers?x=y' })])
  })

  it('about proxies', async () => {
    const { api, proxies, peers, store, network } = await open()
    const proxy = proxies.join({ protocol: 'nameplane.v1', confirms: true, address: '10.0.0.7:51012' })
    proxy.namespace('default').addNames(1)
    proxy.refused('/svc/web', 'no such cluster')
    await appear(store, 'b')
    await turns()
    network.greet('b')
    peers.at('b').part = new Error('connection refused')
    await runAll(api, [
      call('/api/proxies', 200),
      call('/api/proxies', 400, { url: '/api/proxies?behind=5' }),
      call('/api/proxies', 405, { method: 'DELETE' }),
      call(dtab, 200, put('/a => /b', {}, '/api/dtabs/default?wait=proxies:95%25&timeout=0')),
    ])
  })

  it('about sources', async () => {
    const { api, kernel } = await open({ alsoSources: [bareNamer(['#', 'io.test2'], guard)] })
    guard.holding = [{ name: 'dc1/web', since: 5 }]
    kernel
      .source<number>(
        'test web',
        sink => {
          sink.set(1, '7')
          sink.fail(new Error('refused'), 9)
          return () => {}
        },
        { group: '/#/io.test' },
      )
      .watch(() => {})
    const one = '/api/sources/{id}'
    const release = `${one}/release`
    const post = (url: string): InjectOptions => ({ method: 'POST', url })
    await runAll(api, [
      call('/api/sources', 200),
      call('/api/sources', 400, { url: '/api/sources?x=y' }),
      call(one, 200, { url: '/api/sources/io.test' }),
      call(one, 200, { url: '/api/sources/io.test2' }),
      call(one, 400, { url: '/api/sources/io.test?limit=1001' }),
      call(one, 404, { url: '/api/sources/nope' }),
      call(release, 200, post('/api/sources/io.test2/release')),
      call(release, 400, post('/api/sources/io.test2/release?x=y')),
      call(release, 404, post('/api/sources/nope/release')),
      call(release, 409, post('/api/sources/io.test/release')),
    ])
  })

  it('about methods that a resource does not have', async () => {
    const { api } = await open()
    await runAll(
      api,
      Object.keys(description.paths).map(path => call(path, 405, { method: 'OPTIONS' })),
    )
    const answer = await api.inject({ method: 'POST', url: '/api/dtabs/default' })
    expect(answer.headers.allow).toBe('DELETE, GET, HEAD, PATCH, PUT')
  })

  it('about a server that is stopping', async () => {
    const { api, shutdown } = await open()
    shutdown.abort()
    const calls = Object.entries(description.paths).flatMap(([path, item]) =>
      (['GET', 'PUT', 'PATCH', 'POST', 'DELETE'] as const)
        .filter(method => item[method.toLowerCase()] !== undefined)
        .map(method => call(path, 503, { method })),
    )
    await runAll(api, calls)
  })

  it.each([
    ['/api/dtabs', 'watch=true'],
    [dtab, 'watch=true'],
    ['/api/bind/{namespace}', 'watch=true&path=/split'],
    ['/api/resolve/{namespace}', 'watch=true&path=/svc/web'],
    ['/api/addr/{namespace}', 'watch=true&path=/%23/io.test/late'],
    ['/api/bound-names', 'watch=true'],
    ['/api/servers', 'watch=true'],
  ])('about the streams of %s', async (path, query) => {
    const { api, clock, namer, shutdown } = await open()
    const url = `${path.replace('{namespace}', 'default')}?${query}`
    const answers = ['application/x-ndjson', 'text/event-stream'].map(accept =>
      api.inject({ url, headers: { accept } }),
    )
    await turns()
    namer.set('late', '10.0.0.9:80')
    namer.set('another', '10.0.0.9:81')
    await api.inject(put('/svc => /#/io.test ; /split => /loop ; /loop => /loop'))
    await turns()
    clock.advance(15_000)
    await api.inject({ method: 'DELETE', url: '/api/dtabs/default' })
    await turns()
    shutdown.abort()
    for (const answer of await Promise.all(answers)) {
      approve(path, 200, 'GET', answer)
      expect(answer.body).toContain('"type":"state"')
      expect(answer.body).toContain('"type":"heartbeat"')
    }
  })

  afterAll(() => {
    expect(judge.unseen()).toEqual([])
  })
})
