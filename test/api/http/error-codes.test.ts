// Every error code that HTTP can send: provoked once, listed in openapi.yaml, with the status of the table.
import type { InjectOptions } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { type ErrorCode, errorCodes, NamingError } from '../../../naming/errors.ts'
import { description } from '../../contract/openapi.fixture.ts'
import { createFixture, type Fixture } from './http-api.fixture.ts'
import { SpiedStore } from './spied-store.fake.ts'

/** Codes that no answer of this API has: configuration is read elsewhere, the other has its own manner here. */
const neverSent: readonly ErrorCode[] = ['bad-config', 'pending']

const url = '/api/dtabs/default'
const json = { 'content-type': 'application/json' }
const text = { 'content-type': 'text/plain' }
const put = (payload: string, headers = {}): InjectOptions => ({
  method: 'PUT',
  url,
  headers: { ...text, ...headers },
  payload,
})
const patch = (prefix: string, dst: string, op = 'set'): InjectOptions => ({
  method: 'PATCH',
  url,
  headers: json,
  payload: JSON.stringify({ ops: [op === 'set' ? { op, prefix, dst } : { op, prefix }] }),
})

/** Trees inside trees, more than an evaluation goes into. */
const nest = (path: string): string => `${'~|('.repeat(900)}${path}${')'.repeat(900)}`
const nested = `/n=>${nest('/m')};/m=>${nest('/o')}`

const imported = [
  { format: 'nameplane-export', version: 1, exportedAt: '2026-01-01T00:00:00Z', from: 'a test' },
  {
    namespace: 'default',
    version: 1,
    author: 'ann',
    verified: false,
    message: '',
    time: '2026-01-01T00:00:00Z',
    parent: 0,
    text: '/other => /o',
  },
  { end: true, namespaces: 1, versions: 1 },
]

const provoked: Readonly<Partial<Record<ErrorCode, InjectOptions>>> = {
  'bad-path': { url: '/api/bind/default?path=x' },
  'bad-prefix': patch('a', '/b'),
  'bad-tree': patch('/a', '/b |'),
  'bad-dtab': put('/a'),
  'bad-namespace': { url: '/api/dtabs/a%20b' },
  'bad-request': { url: '/api/dtabs?x' },
  'not-found': { url: '/api/nothing' },
  'dtab-not-found': { url: '/api/dtabs/nope' },
  'source-not-found': { url: '/api/sources/nope' },
  'source-without-guard': { method: 'POST', url: '/api/sources/storage/release' },
  'version-not-found': { url: `${url}?version=7` },
  'method-not-allowed': { method: 'POST', url },
  'dtab-exists': {
    method: 'POST',
    url: '/api/import',
    headers: { 'content-type': 'application/x-ndjson' },
    payload: imported.map(line => `${JSON.stringify(line)}\n`).join(''),
  },
  'edit-conflict': patch('/zzz', '', 'remove'),
  'dtab-version-mismatch': put('/a => /b', { 'if-match': '"9"' }),
  'dtab-too-large': put('/a => /b ;'.repeat(200)),
  'body-too-large': { ...put(' '.repeat(100_000)), headers: json },
  'unsupported-media-type': put('<a/>', { 'content-type': 'text/xml' }),
  'not-acceptable': { url, headers: { accept: 'image/png' } },
  'idempotency-key-reused': put('/a => /x', { 'idempotency-key': 'used' }),
  'name-too-deep': { url: '/api/bind/default?path=/loop' },
  'evaluation-limit': { url: `/api/bind/default?path=/n&dtab=${nested}` },
  'unknown-namer': { url: '/api/bind/default?path=/$/no.such' },
  'namer-unavailable': { url: '/api/bind/default?path=/down' },
  'resource-exhausted': { url: '/api/delegate/default?path=/x' },
}

/** Codes that only a store or a bug can raise. */
const raisedBelow: readonly ErrorCode[] = [
  'store-unavailable',
  'store-busy',
  'store-full',
  'store-corrupt',
  'unavailable',
  'timeout',
  'internal',
]

/** Sent on the bare socket, before there is a request: see server.test.ts. */
const sentBare: readonly ErrorCode[] = ['headers-too-large', 'request-timeout']

let fixture: Fixture | undefined
afterEach(async () => {
  await fixture?.close()
  fixture = undefined
})

async function open(spy = new SpiedStore()): Promise<Fixture & { readonly spy: SpiedStore }> {
  const rules = '/loop => /loop ; /down => /#/io.test/down'
  fixture = await createFixture({
    namespaces: { default: rules },
    wrapStore: spy.wrap,
    maxDtabBytes: 1_000,
    explanationsPerSecond: 0.5,
  })
  fixture.namer.failing = 'down'
  await fixture.api.inject(put(rules, { 'idempotency-key': 'used' }))
  return { ...fixture, spy }
}

describe('error codes over HTTP', () => {
  it('are those that openapi.yaml lists', () => {
    const listed = description.components.schemas.ErrorCode?.enum ?? []
    expect([...listed].sort()).toEqual([...Object.keys(provoked), ...raisedBelow, ...sentBare].sort())
    expect([...listed, ...neverSent].sort()).toEqual(Object.keys(errorCodes).sort())
  })

  it.each(Object.entries(provoked))('sends %s with the status of the table', async (code, request) => {
    const { api } = await open()
    if (code === 'resource-exhausted') await api.inject(request)
    const answer = await api.inject(request)
    const row = errorCodes[code as ErrorCode]
    expect(answer.json()).toMatchObject({ code, status: row.http, title: row.title, retryable: row.retryable })
    expect(answer.statusCode).toBe(row.http)
    expect(answer.headers['content-type']).toBe('application/problem+json')
  })

  it.each(raisedBelow)('passes %s on from below', async code => {
    const { api, spy } = await open()
    spy.failure = new NamingError(code, 'from below')
    const answer = await api.inject({ url })
    expect([answer.statusCode, answer.json().code]).toEqual([errorCodes[code].http, code])
  })

  it('never sends the cause of an unexpected error, which is logged', async () => {
    const { api, spy, log } = await open()
    spy.failure = Object.assign(new TypeError('password: hunter2'), { code: 'E_ODD' }) as unknown as NamingError
    const answer = await api.inject({ url })
    expect(answer.json()).toMatchObject({ status: 500, code: 'internal' })
    expect(answer.body).not.toContain('hunter2')
    expect(log.lines).toMatchObject([{ facts: { code: 'internal', err: { message: 'password: hunter2' } } }])
  })
})
