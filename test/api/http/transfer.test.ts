// Export and import over HTTP: from one store into another and back.
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import type { LightMyRequestResponse } from 'fastify'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import {
  type ExportedVersion,
  encodeExportedVersion,
  encodeExportHeader,
  encodeExportTrailer,
} from '../../../proto/export-lines.ts'
import type { NamespaceSummary, Store } from '../../../storage/store.ts'
import { ok } from '../../../watch/state.ts'
import { createFixture, type Fixture, type FixtureOptions, turns } from './http-api.fixture.ts'
import { SpiedStore } from './spied-store.fake.ts'

const opened: Fixture[] = []

afterEach(async () => {
  for (const fixture of opened.splice(0)) await fixture.close()
})

async function open(options: FixtureOptions = {}): Promise<Fixture> {
  const fixture = await createFixture(options)
  opened.push(fixture)
  return fixture
}

const ndjson = { 'content-type': 'application/x-ndjson', 'nameplane-author': 'importer' }

const exported = async ({ api }: Fixture, query = ''): Promise<string> =>
  (await api.inject({ url: `/api/export${query}` })).body

const importInto = ({ api }: Fixture, payload: string, query = ''): Promise<LightMyRequestResponse> =>
  api.inject({ method: 'POST', url: `/api/import${query}`, headers: ndjson, payload })

/** Puts a count of calls between a store and its users. */
const onCall =
  (counted: keyof Store, count: () => void) =>
  (store: Store): Store =>
    new Proxy(store, {
      get: (target, name: keyof Store) => {
        const member: unknown = target[name]
        if (name === counted) count()
        return typeof member === 'function' ? member.bind(target) : member
      },
    })

/** Everything that a store keeps of its past. */
async function contentOf(store: Store, names: readonly string[]): Promise<unknown> {
  const all: unknown[] = []
  for (const name of names)
    for (const { version } of await store.history(name, { limit: 1_000 })) all.push(await store.version(name, version))
  return all
}

/** default: three versions and one key; gone: deleted. */
async function withPast(options: FixtureOptions = {}): Promise<Fixture> {
  const fixture = await open(options)
  const put = (namespace: string, payload: string, author: string): Promise<unknown> =>
    fixture.api.inject({
      method: 'PUT',
      url: `/api/dtabs/${namespace}?message=to+${author}`,
      headers: { 'content-type': 'application/dtab', 'nameplane-author': author, 'idempotency-key': `k-${author}` },
      payload,
      remoteAddress: '10.1.2.3',
    })
  await put('default', '# a comment\n/a => /b ;\n', 'ann')
  fixture.clock.advance(1_000)
  await put('default', '/a => 0.25*/b & /c ; # "quoted" \\ ünïcode\n', 'bob')
  await put('default', '', 'cy')
  await put('gone', '/x => /y', 'ann')
  await fixture.api.inject({ method: 'DELETE', url: '/api/dtabs/gone' })
  return fixture
}

const meta = { author: 'ann', verified: false, message: '', time: 1_700_000_000_000 }
const line = (namespace: string, version: number, text: string | undefined): ExportedVersion => ({
  ...meta,
  namespace,
  version,
  parent: version - 1,
  ...(text !== undefined && { text }),
})

/** A well-formed export of these versions. */
function fileOf(...versions: readonly ExportedVersion[]): string {
  const counts = { namespaces: new Set(versions.map(({ namespace }) => namespace)).size, versions: versions.length }
  return [
    encodeExportHeader({ exportedAt: 0, from: 'a test' }),
    ...versions.map(encodeExportedVersion),
    encodeExportTrailer(counts),
  ].join('')
}

describe('an export', () => {
  it('is a header, every version oldest first by namespace, and a trailer that counts', async () => {
    const answer = await (await withPast()).api.inject({ url: '/api/export' })
    expect(answer.headers['content-type']).toBe('application/x-ndjson')
    const lines = answer.body
      .trimEnd()
      .split('\n')
      .map(text => JSON.parse(text))
    expect(lines.at(0)).toEqual({
      format: 'nameplane-export',
      version: 1,
      exportedAt: '2023-11-14T22:13:21.000Z',
      from: 'nameplane, memory',
    })
    expect(lines.at(-1)).toEqual({ end: true, namespaces: 2, versions: 5 })
    expect(lines.slice(1, -1).map(({ namespace, version }) => `${namespace} ${version}`)).toEqual([
      'default 1',
      'default 2',
      'default 3',
      'gone 1',
      'gone 2',
    ])
    expect(lines[1]).toEqual({
      namespace: 'default',
      version: 1,
      author: 'ann',
      verified: false,
      message: 'to ann',
      time: '2023-11-14T22:13:20.000Z',
      parent: 0,
      address: '10.1.2.3',
      idempotencyKey: 'k-ann',
      text: '# a comment\n/a => /b ;\n',
    })
    expect(lines[5]).toMatchObject({ namespace: 'gone', version: 2, deleted: true })
    expect(lines[5]).not.toHaveProperty('text')
  })

  it('holds only the namespaces asked for, sorted, and heads alone without history', async () => {
    const fixture = await withPast()
    const numbers = async (query: string): Promise<string[]> =>
      (await exported(fixture, query))
        .split('\n')
        .flatMap(text => text.match(/"namespace":"(\w+)","version":(\d)/)?.[0] ?? [])
    expect(await numbers('?namespace=gone&namespace=default')).toHaveLength(5)
    expect(await numbers('?namespace=gone')).toEqual([
      '"namespace":"gone","version":1',
      '"namespace":"gone","version":2',
    ])
    expect(await numbers('?history=false')).toEqual(['"namespace":"default","version":3'])
  })

  it('refuses a namespace that never was, before it sends anything', async () => {
    const fixture = await withPast()
    const answer = await fixture.api.inject({ url: '/api/export?namespace=nope' })
    expect(answer.json()).toMatchObject({ status: 404, code: 'dtab-not-found' })
    const bad = await fixture.api.inject({ url: '/api/export?namespace=a/b' })
    expect(bad.json()).toMatchObject({ status: 400, code: 'bad-namespace' })
  })

  it('is refused while the listing may be old, for it would lack namespaces and not show it', async () => {
    const stale = { since: 0, reason: new NamingError('store-unavailable', 'away') }
    const fixture = await open({
      wrapStore: (store, kernel) => {
        const list = kernel.derive('a listing that is old', () => ok<readonly NamespaceSummary[]>([], stale))
        return { ...new SpiedStore().wrap(store), list: () => list }
      },
    })
    const answer = fixture.api.inject({ url: '/api/export' })
    await turns()
    fixture.clock.advance(5_000)
    expect((await answer).json()).toMatchObject({ status: 503, code: 'store-unavailable' })
  })

  it('is a problem when the store fails before anything was sent, and cut off without its trailer when it fails later', async () => {
    const away = new NamingError('store-unavailable', 'away')
    let left = 0
    const failing = onCall('version', () => {
      if (left-- <= 0) throw away
    })
    const padded = `/a => /b # ${'x'.repeat(40_000)}`
    const fixture = await open({ namespaces: { a: padded, b: padded, c: padded }, wrapStore: failing })
    const first = await fixture.api.inject({ url: '/api/export' })
    expect(first.json()).toMatchObject({ status: 503, code: 'store-unavailable' })
    left = 2
    fixture.clock.advance(20_000)
    const logged = fixture.log.lines.length
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const answer = await fetch(`http://127.0.0.1:${port}/api/export`)
    await expect(answer.text()).rejects.toThrow()
    expect(fixture.log.lines).toHaveLength(logged + 1)
  })

  it('has no body for HEAD', async () => {
    const answer = await (await withPast()).api.inject({ method: 'HEAD', url: '/api/export' })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
  })

  it('reads no further than a few versions ahead of a slow reader, whatever there is', async () => {
    let reads = 0
    const counted = onCall('version', () => reads++)
    const namespaces = Object.fromEntries(
      Array.from({ length: 150 }, (_, i) => [`ns${i}`, `/svc => /a ; # ${'x'.repeat(64_000)}`]),
    )
    const fixture = await open({ namespaces, wrapStore: counted })
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.pause()
    socket.write('GET /api/export HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    for (let quiet = 0, last = -1; quiet < 50; ) {
      await new Promise<void>(resolve => setImmediate(resolve))
      quiet = reads === last && reads > 0 ? quiet + 1 : 0
      last = reads
    }
    expect(reads).toBeLessThan(145)
    let text = ''
    socket.setEncoding('utf8').on('data', chunk => {
      text += String(chunk)
    })
    socket.resume()
    await new Promise(resolve => socket.once('close', resolve))
    expect(text).toContain('{"end":true,"namespaces":150,"versions":150}')
    expect(reads).toBe(150)
  })
})

describe('an import', () => {
  it('brings in everything as it was, so that the next export is the same but for its first line', async () => {
    const from = await withPast()
    const file = await exported(from)
    const to = await open()
    const answer = await importInto(to, file)
    expect(answer.json()).toEqual({
      dryRun: false,
      counts: { imported: 2, identical: 0, written: 0, skipped: 0, refused: 0 },
      namespaces: [
        { namespace: 'default', outcome: 'imported', version: 3 },
        { namespace: 'gone', outcome: 'imported', version: 2 },
      ],
    })
    const names = ['default', 'gone']
    expect(await contentOf(to.store, names)).toEqual(await contentOf(from.store, names))
    expect((await exported(to)).split('\n').slice(1)).toEqual(file.split('\n').slice(1))
  })

  it('is resumable: what is here already counts as done, also when there is more by now or less of the old', async () => {
    const file = await exported(await withPast())
    const to = await open()
    await importInto(to, file)
    const again = async (): Promise<unknown> => (await importInto(to, file)).json().counts
    expect(await again()).toMatchObject({ identical: 2, imported: 0 })
    await to.store.forget('default', [1])
    await to.api.inject({
      method: 'PUT',
      url: '/api/dtabs/default',
      headers: { 'content-type': 'text/plain' },
      payload: '/new => /n',
    })
    expect(await again()).toMatchObject({ identical: 2, refused: 0 })
    expect((await to.store.head('default'))?.text).toBe('/new => /n')
  })

  it('does nothing in a dry run and says what it would do', async () => {
    const to = await open({ namespaces: { default: '/here => /h' } })
    const answer = await importInto(to, await exported(await withPast()), '?dryRun=true')
    expect(answer.json()).toMatchObject({
      dryRun: true,
      counts: { imported: 1, refused: 1 },
      namespaces: [
        { namespace: 'default', outcome: 'refused', problem: { code: 'dtab-exists', presentVersion: 1 } },
        { namespace: 'gone', outcome: 'imported' },
      ],
    })
    expect(await to.store.head('gone')).toBeUndefined()
  })

  it('stops at a namespace that has other versions here, unless they are to be skipped or written over', async () => {
    const file = await exported(await withPast())
    const to = await open({ namespaces: { default: '/here => /h', gone: '/still => /here' } })
    expect((await importInto(to, file)).json()).toMatchObject({
      status: 409,
      code: 'dtab-exists',
      namespace: 'default',
    })
    expect((await importInto(to, file, '?existing=skip')).json().counts).toMatchObject({ skipped: 2 })
    expect((await to.store.head('default'))?.version).toBe(1)
    const written = await importInto(to, file, '?existing=write')
    expect(written.json().namespaces).toEqual([
      { namespace: 'default', outcome: 'written', version: 2 },
      { namespace: 'gone', outcome: 'skipped', version: 1 },
    ])
    expect(await to.store.head('default')).toMatchObject({
      text: '',
      meta: { author: 'importer', message: 'import of version 3 by cy: to cy', parent: 1, address: '127.0.0.1' },
    })
    expect((await importInto(to, file, '?existing=write')).json().namespaces).toMatchObject([
      { outcome: 'identical' },
      {},
    ])
  })

  it('writes back what a namespace was, though the store knows that version', async () => {
    const to = await withPast()
    const file = await exported(to, '?namespace=default')
    await to.api.inject({
      method: 'PUT',
      url: '/api/dtabs/default',
      headers: { 'content-type': 'text/plain' },
      payload: '/new => /n',
    })
    expect((await importInto(to, file)).json().counts).toMatchObject({ identical: 1 })
    expect((await importInto(to, file, '?existing=write')).json().counts).toMatchObject({ written: 1 })
    expect((await to.store.head('default'))?.text).toBe('')
  })

  it.each([
    ['at the limit', 1_000, 200],
    ['over the limit', 1_001, 413],
  ])('of a text %s of this store', async (_, bytes, status) => {
    const to = await open({ maxDtabBytes: 1_000 })
    const text = `/a => /b ;#${'x'.repeat(bytes - 11)}`
    const answer = await importInto(to, fileOf(line('ok', 1, '/a => /b'), line('large', 1, '/a => /b')))
    expect(answer.json()).toMatchObject({ status: 400, at: 'line 3' })
    const sorted = await importInto(to, fileOf(line('large', 1, '/a => /b'), line('large', 7, text), line('ok', 1, '')))
    expect(sorted.statusCode).toBe(status)
    if (status === 200) return
    expect(sorted.json()).toMatchObject({
      code: 'dtab-too-large',
      namespace: 'large',
      version: 7,
      used: 1_001,
      limit: 1_000,
    })
    expect(await to.store.head('large')).toBeUndefined()
    const dry = await importInto(to, fileOf(line('large', 7, text), line('ok', 1, '')), '?dryRun=true')
    expect(dry.json().namespaces).toMatchObject([
      { outcome: 'refused', problem: { version: 7 } },
      { outcome: 'imported' },
    ])
  })

  it('refuses a text that is no dtab, with namespace, version, line and column', async () => {
    const to = await open()
    const answer = await importInto(to, fileOf(line('a', 1, '/a => /b'), line('a', 2, '/a => /b ;\n/c => ')))
    expect(answer.json()).toMatchObject({ status: 400, code: 'bad-dtab', namespace: 'a', version: 2, line: 2 })
    expect(await to.store.head('a')).toBeUndefined()
  })

  it('checks a large text in the worker and keeps it to the byte', async () => {
    const to = await open()
    const text = `/a => /b ; # ü\n${'/svc/x => /y ;\n'.repeat(18_000)}`
    expect((await importInto(to, fileOf(line('a', 1, text)))).json().counts).toMatchObject({ imported: 1 })
    expect((await to.store.head('a'))?.text).toBe(text)
    const bad = await importInto(to, fileOf(line('b', 1, `${text}/a =>`)))
    expect(bad.json()).toMatchObject({ status: 400, code: 'bad-dtab', namespace: 'b', line: 18_002 })
  })

  const good = fileOf(line('a', 1, '/a => /b'), line('a', 2, '/a => /c'), line('b', 1, '/a => /b'))
  const cut = (lines: number): string => `${good.split('\n').slice(0, lines).join('\n')}\n`

  it('never makes an old version the head because the file was cut off', async () => {
    const to = await open()
    const answer = await importInto(to, cut(2))
    expect(answer.json()).toMatchObject({
      status: 400,
      code: 'bad-request',
      detail: expect.stringContaining('was cut off'),
    })
    expect(await to.store.head('a')).toBeUndefined()
    expect((await importInto(to, cut(4))).statusCode).toBe(400)
    expect(await to.store.head('a')).toMatchObject({ version: 2 })
    expect(await to.store.head('b')).toBeUndefined()
    expect((await importInto(to, good)).json().counts).toMatchObject({ identical: 1, imported: 1 })
  })

  it.each([
    ['nothing', '', 'Line 0: the export ends before its last line, so it was cut off.'],
    ['half a line', good.slice(0, -5), 'Line 5: This is no line of an export: it is no JSON object.'],
    ['no header', good.slice(good.indexOf('\n') + 1), 'Line 1: an export begins with one header.'],
    ['another format', `{"format":"x"}\n`, 'Line 1: This is no line of an export: it is no header of nameplane-export'],
    [
      'a newer format',
      good.replace('"version":1', '"version":2'),
      'Line 1: This is no line of an export: it is no header',
    ],
    ['a line twice', good.replace(/(.*"a","version":1.*\n)/, '$1$1'), "Line 3: version 1 of 'a' comes after version 1"],
    [
      'a line too few',
      good.replace(/.*"a","version":1.*\n/, ''),
      'should hold 3 versions of 2 namespaces; 2 of 2 came',
    ],
    [
      'a version over one that was not the one before it',
      good.replace('"parent":1', '"parent":0'),
      "Line 3: version 2 of 'a' names 0 as the one before it, but 1 came before",
    ],
    ['a number that nothing could come on top of', fileOf(line('a', 2 ** 53 - 1, '/a => /b')), 'version: Too big'],
    ['an endless message', fileOf({ ...line('a', 1, ''), message: 'm'.repeat(9_000) }), 'message: Too big'],
    ['half a character', fileOf({ ...line('a', 1, ''), author: '\ud800' }), 'author: holds half a surrogate pair'],
    ['a namespace without a name', fileOf(line('', 1, '')), 'namespace: Too small'],
    ['unsorted names', good.replace('"b"', '"B"'), "'B' comes after 'a', but namespaces are sorted by name."],
    ['more after the end', `${good}${good}`, 'something comes after the end of the export.'],
    ['an unknown member', good.replace('"parent":0', '"parent":0,"x":1'), 'Unrecognized key'],
    [
      'neither text nor deletion',
      good.replace(',"text":"/a => /b"', ''),
      'a version has either a text or "deleted": true',
    ],
    ['a time that is none', good.replace('2023-11-14', '2023-13-14'), 'time: '],
  ])('refuses %s', async (_, file, detail) => {
    const answer = await importInto(await open(), file)
    expect(answer.json()).toMatchObject({ status: 400, code: 'bad-request', detail: expect.stringContaining(detail) })
  })

  it('refuses a namespace whose name is none, and another media type', async () => {
    const to = await open()
    expect((await importInto(to, fileOf(line('a/b', 1, '')))).json()).toMatchObject({ code: 'bad-namespace' })
    const text = await to.api.inject({
      method: 'POST',
      url: '/api/import',
      headers: { 'content-type': 'text/plain' },
      payload: good,
    })
    expect(text.statusCode).toBe(415)
  })

  it('answers a client that sends on though it was refused', async () => {
    const to = await open({ namespaces: { a: '/here => /h' } })
    const { port } = await to.api.listen({ host: '127.0.0.1', port: 0 })
    const many = Array.from({ length: 3_000 }, (_, i) =>
      line(`b${String(i).padStart(4, '0')}`, 1, `/a => /b # ${'x'.repeat(1_000)}`),
    )
    const body = Readable.toWeb(Readable.from([fileOf(line('a', 1, '/a => /b'), ...many)]))
    const answer = await fetch(`http://127.0.0.1:${port}/api/import`, {
      method: 'POST',
      headers: ndjson,
      body,
      duplex: 'half',
    })
    expect(await answer.json()).toMatchObject({ status: 409, namespace: 'a' })
  })

  it('takes no more of a large file than it has stored, but for what is on the way', async () => {
    let done = 0
    const to = await open({ wrapStore: onCall('importHistory', () => done++) })
    const names = Array.from({ length: 150 }, (_, i) => `ns${String(i).padStart(4, '0')}`)
    let sent = 0
    let ahead = 0
    async function* lines(): AsyncGenerator<string> {
      yield encodeExportHeader({ exportedAt: 0, from: 'a test' })
      for (const name of names) {
        ahead = Math.max(ahead, ++sent - done)
        yield encodeExportedVersion(line(name, 1, `/svc => /a ; # ${'x'.repeat(64_000)}`))
      }
      yield encodeExportTrailer({ namespaces: names.length, versions: names.length })
    }
    const { port } = await to.api.listen({ host: '127.0.0.1', port: 0 })
    const answer = await fetch(`http://127.0.0.1:${port}/api/import`, {
      method: 'POST',
      headers: ndjson,
      body: Readable.toWeb(Readable.from(lines())),
      duplex: 'half',
    })
    expect(await answer.json()).toMatchObject({ counts: { imported: 150 } })
    expect(ahead).toBeLessThan(145)
  })
})
