// S4: namespaces from the URL went straight into a backend path, an error was then logged for ever, nulls were accepted.
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { NamingError } from '../../naming/errors.ts'
import { createFixture, type Fixture } from '../api/http/http-api.fixture.ts'
import { SpiedStore } from '../api/http/spied-store.fake.ts'

let fixture: Fixture
afterEach(() => fixture.close())

const grammar = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/
const seeded = { seed: 4, numRuns: 300 }

async function open(spy = new SpiedStore()): Promise<SpiedStore> {
  fixture = await createFixture({ wrapStore: spy.wrap, namespaces: { default: '/a => /b' } })
  return spy
}

/** Sends a request line as it is: clients tidy `..` and spaces away before they send. */
function sendRaw(port: number, lines: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.end(lines.join('')))
    socket.on('data', chunk => {
      answer += String(chunk)
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

const hostile = [
  '%2e%2e/foo',
  '%2e%2e%2ffoo',
  '../../etc/passwd',
  '..',
  '.',
  '',
  '%00',
  'a%00b',
  'a%0d%0ab',
  '%zz',
  '%ff%fe',
  'ns/../../x',
  'a b'.replace(' ', '%20'),
  '-a',
  '_a',
  'é',
  '%c3%a9',
  'a'.repeat(254),
  'a'.repeat(9_000),
  'constructor',
  '__proto__',
]

describe('S4 names', () => {
  it('S4: hostile names are refused before the store hears of them, on both APIs, over a real socket', async () => {
    const spy = await open()
    const { port } = await fixture.api.listen({ host: '127.0.0.1', port: 0 })
    for (const name of hostile) {
      for (const [root, tail] of [
        ['/api/dtabs/', ''],
        ['/api/1/dtabs/', ''],
        ['/api/bind/', '?path=/a'],
        ['/api/1/bind/', '?path=/a'],
        ['/api/1/delegate/', '?path=/a'],
      ]) {
        const head = `GET ${root}${name}${tail} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
        expect(await sendRaw(port, [head]), `${root}${name}`).toMatch(/^HTTP\/1\.1 (200|400|404)/)
      }
      const body = '/a => /b'
      const put = `PUT /api/1/dtabs/${name} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`
      await sendRaw(port, [put])
    }
    expect(spy.namespaces.filter(namespace => !grammar.test(namespace))).toEqual([])
    expect(fixture.log.lines).toEqual([])
  })

  it('S4: of any text at all the store sees only what the grammar allows', async () => {
    const spy = await open()
    // The library's unit for this makes a table of a million entries first.
    const anyCharacter = fc.nat(0x10ffff).map(code => String.fromCodePoint(code))
    const name = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 300 }),
      fc.string({ unit: fc.constantFrom('.', '/', '%', '2', 'e', '-', '_', 'a', 'Z', '9', ':', '~'), maxLength: 260 }),
    )
    await fc.assert(
      fc.asyncProperty(name, async text => {
        fc.pre(text.isWellFormed() && text !== '.' && text !== '..')
        const escaped = encodeURIComponent(text).replaceAll('.', '%2E')
        const asked = await fixture.api.inject({ url: `/api/dtabs/${escaped}` })
        const expected = grammar.test(text) ? [404, 'dtab-not-found'] : [400, 'bad-namespace']
        expect([asked.statusCode, asked.json().code]).toEqual(expected)
      }),
      seeded,
    )
    expect(spy.namespaces.filter(namespace => !grammar.test(namespace))).toEqual([])
  })
})

describe('S4 bodies', () => {
  const junk = fc.constantFrom(null, true, 1, '', [], {}, [null], { prefix: null })
  const isDentry = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && JSON.stringify(value) === '{"prefix":"/a","dst":"/b"}'

  it('S4: a JSON body with anything but dentries is refused with its place and never stored', async () => {
    const spy = await open()
    const entry = fc.oneof(
      fc.constant({ prefix: '/a', dst: '/b' }),
      junk,
      fc.record({ prefix: fc.oneof(fc.constant('/a'), junk), dst: fc.oneof(fc.constant('/b'), junk) }),
      fc.record({ prefix: fc.constant('/a'), dst: fc.constant('/b'), note: junk }),
    )
    const body = fc.oneof(
      fc.array(entry, { maxLength: 4 }),
      fc.record({ dtab: fc.oneof(fc.array(entry, { maxLength: 3 }), junk) }),
      fc.record({ dtab: fc.constant([]), version: junk, author: junk }),
      junk,
    )
    await fc.assert(
      fc.asyncProperty(body, async value => {
        const before = spy.texts.length
        const headers = { 'content-type': 'application/json' }
        const payload = JSON.stringify(value)
        const answer = await fixture.api.inject({ method: 'PUT', url: '/api/dtabs/default', headers, payload })
        if (answer.statusCode === 200) {
          const written = Array.isArray(value) ? value : (value as { dtab: unknown[] }).dtab
          expect(written.every(isDentry)).toBe(true)
          return
        }
        expect(answer.json()).toMatchObject({ status: 400, at: expect.any(String) })
        expect(spy.texts).toHaveLength(before)
      }),
      seeded,
    )
  })

  it.each([
    ['a null entry', '[null]', { code: 'bad-request', at: '/0' }],
    ['a null field', '[{"prefix":"/a","dst":null}]', { code: 'bad-request', at: '/0/dst' }],
    ['an absent field', '{"dtab":[{"prefix":"/a"}]}', { code: 'bad-request', at: '/dtab/0/dst' }],
    ['an unknown field', '{"dtab":[],"rules":[]}', { code: 'bad-request', at: '/rules' }],
    ['another namespace', '{"dtab":[],"namespace":"other"}', { code: 'bad-request', at: '/namespace' }],
    ['a second key', '[{"prefix":"/a","dst":"/b",\n "dst":"/c"}]', { code: 'bad-request', line: 2, column: 2 }],
    ['a bad tree', '[{"prefix":"/a","dst":"/b |"}]', { code: 'bad-dtab', at: '/0/dst', line: 1, column: 5 }],
    ['half a document', '[{"prefix":"/a"', { code: 'bad-request', line: 1, column: 16, expected: "',' or '}'" }],
    ['too much nesting', '['.repeat(100_000), { code: 'bad-request', line: 1, column: 10 }],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), { code: 'bad-request' }],
    ['an endless weight', `[{"prefix":"/a","dst":"${'9'.repeat(400)}*/b & /c"}]`, { code: 'bad-dtab', at: '/0' }],
  ])('S4: %s is refused with its place', async (_what, payload, problem) => {
    const spy = await open()
    const headers = { 'content-type': 'application/json' }
    const answer = await fixture.api.inject({ method: 'PUT', url: '/api/dtabs/default', headers, payload })
    expect(answer.json()).toMatchObject({ status: 400, ...problem })
    expect(spy.texts).toEqual([])
  })

  it('S4: text that does not parse is refused with line, column and what was expected', async () => {
    const spy = await open()
    const headers = { 'content-type': 'application/dtab' }
    const payload = '/a => /b ;\n/c => | /d'
    const answer = await fixture.api.inject({ method: 'PUT', url: '/api/dtabs/default', headers, payload })
    expect(answer.json()).toMatchObject({ status: 400, code: 'bad-dtab', line: 2, column: 7, expected: 'simple' })
    expect(spy.texts).toEqual([])
  })
})

describe('S4 logs', () => {
  it('S4: a thousand failures of the store make few lines, which say how many were left out', async () => {
    const spy = await open()
    spy.failure = new NamingError('store-unavailable', 'The store is away.', { cause: new Error('secret: pw@host') })
    for (let window = 0; window < 3; window++) {
      for (let i = 0; i < 350; i++) {
        const answer = await fixture.api.inject({ url: '/api/dtabs/default' })
        expect(answer.statusCode).toBe(503)
        expect(answer.body).not.toContain('secret')
      }
      fixture.clock.advance(10_000)
    }
    const omitted = fixture.log.lines.map(({ facts }) => (facts as { omitted?: number }).omitted)
    expect(omitted).toEqual([0, 349, 349])
  })
})
