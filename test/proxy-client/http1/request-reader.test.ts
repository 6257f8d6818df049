import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../proxy-client/http1/limits.ts'
import type { Framing } from '../../../proxy-client/http1/message.ts'
import { shown } from './hostile-corpus.fixture.ts'
import { readRequests } from './reading.fixture.ts'

const head = (...fields: readonly string[]): string =>
  `POST /a HTTP/1.1\r\n${['Host: web', ...fields, '', ''].join('\r\n')}`

/** `ok` or the kind of the first problem, when one request and nothing else is sent. */
function verdict(text: string): string {
  const problem = readRequests([text]).told.find(({ what }) => what === 'problem')
  return problem?.what === 'problem' ? problem.kind : 'ok'
}

const each = (texts: readonly string[]): (readonly [string, string])[] => texts.map(text => [shown(text), text])

describe('a request line', () => {
  const withLine = (line: string): string => `${line}\r\nHost: web\r\n\r\n`

  it.each(
    each([
      'GET / HTTP/1.1',
      'GET / HTTP/1.0',
      "!#$%&'*+-.^_`|~09AZaz / HTTP/1.1",
      'GET /a|b{c}^`"<>\\ HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'GET http://web/a?b HTTP/1.1',
      'GET HTTP://web?b HTTP/1.1',
      'CONNECT web:80 HTTP/1.1',
      'CONNECT [::1]:80 HTTP/1.1',
    ]),
  )('is taken: %s', (_shown, line) => {
    const { heads, told } = readRequests([withLine(line)])
    const [method, target, version] = line.split(' ')
    expect(heads[0]).toMatchObject({ method, target, minor: version === 'HTTP/1.1' ? 1 : 0 })
    expect(told.map(({ what }) => what)).toEqual(['head', 'end'])
  })

  it.each(
    each([
      '',
      'GET',
      'GET /',
      'GET / ',
      'GET  / HTTP/1.1',
      'GET /  HTTP/1.1',
      'GET\t/ HTTP/1.1',
      ' GET / HTTP/1.1',
      'GET / HTTP/1.1 ',
      'GET / HTTP/1.1x',
      'GET / HTTP/1.10',
      'GET / HTTP/11',
      'GET / HTTP/1,1',
      'GET / http/1.1',
      'G(T / HTTP/1.1',
      'G\xe9T / HTTP/1.1',
      'GET /\xe9 HTTP/1.1',
      'GET /a#b HTTP/1.1',
      'GET /\x7f HTTP/1.1',
      'GET /\0 HTTP/1.1',
      'GET /a\rb HTTP/1.1',
      'GET a HTTP/1.1',
      'GET * HTTP/1.1',
      'CONNECT web HTTP/1.1',
      'CONNECT /a HTTP/1.1',
      'GET http:///a HTTP/1.1',
      'GET http://me@web/a HTTP/1.1',
      'GET http:/web HTTP/1.1',
      '\x16\x03\x01\x02\0\x01',
    ]),
  )('is malformed: %s', (_shown, line) => {
    expect(verdict(withLine(line))).toBe('malformed')
  })

  it.each(each(['GET / HTTP/1.2', 'GET / HTTP/0.9', 'GET / HTTP/2.0', 'PRI * HTTP/2.0']))(
    'is of a version that is not read: %s',
    (_shown, line) => expect(verdict(withLine(line))).toBe('otherVersion'),
  )

  it('may be preceded by one empty line, not by two', () => {
    expect(verdict(`\r\n${withLine('GET / HTTP/1.1')}`)).toBe('ok')
    expect(verdict(`\r\n\r\n${withLine('GET / HTTP/1.1')}`)).toBe('malformed')
    expect(verdict(`\n${withLine('GET / HTTP/1.1')}`)).toBe('malformed')
  })
})

describe('fields', () => {
  it('lose the white space around their values and keep everything else', () => {
    const [request] = readRequests([head('X-A:1', 'x-B: \t 2 \t3 \t', 'X-C:', 'X-D: \x80\xff\xa0')]).heads
    expect(request?.fields.lines(0)).toBe('Host: web\r\nX-A: 1\r\nx-B: 2 \t3\r\nX-C: \r\nX-D: \x80\xff\xa0\r\n')
  })

  it.each(
    each([
      'X-A : 1',
      'X-A\t: 1',
      ': 1',
      'X-A',
      'X A: 1',
      'X-\xe9: 1',
      'X-A: 1\0',
      'X-A: \x01',
      'X-A: \x7f',
      'X-A: 1\r\n 2',
      'X-A: 1\r\n\t2',
      'X-A: 1\n',
      'X-A: 1\rX-B: 2',
      'X-A: 1\nX-B: 2',
      'X-(A): 1',
    ]),
  )('are malformed: %s', (_shown, line) => expect(verdict(head(line))).toBe('malformed'))

  it.each(each(['a\n\n', 'a\r\n\n', 'a\n\r\n', 'a\r\r']))(
    'end with CRLF and an empty line, not with %s',
    (_shown, end) => {
      expect(verdict(`GET / HTTP/1.1\r\nHost: ${end}`)).toBe('malformed')
    },
  )

  it('are limited: the start line, all fields together and their count, each with its last permitted byte', () => {
    const { maxStartLineBytes, maxFieldBytes, maxFields } = defaultLimits
    const target = 'x'.repeat(maxStartLineBytes - 'GET / HTTP/1.1'.length)
    expect(verdict(`GET /${target} HTTP/1.1\r\nHost: web\r\n\r\n`)).toBe('ok')
    expect(verdict(`GET /${target}x HTTP/1.1\r\nHost: web\r\n\r\n`)).toBe('lineTooLong')
    const value = 'x'.repeat(maxFieldBytes - 'Host: web\r\nX: \r\n'.length)
    expect(verdict(head(`X: ${value}`))).toBe('ok')
    expect(verdict(head(`X: ${value}x`))).toBe('tooLong')
    const fields = Array.from({ length: maxFields - 1 }, () => 'X: 1')
    expect(verdict(head(...fields))).toBe('ok')
    expect(verdict(head(...fields, 'X: 1'))).toBe('tooLong')
  })

  it('that never end are refused while they come, at the first byte over the limit', () => {
    const pieces = Array.from({ length: 100 }, () => 'x'.repeat(1_000))
    const { told, rest } = readRequests([`GET / HTTP/1.1\r\nX: `, ...pieces])
    expect(told).toMatchObject([{ what: 'problem', kind: 'tooLong' }])
    expect(rest.length).toBe('X: '.length + 100_000 - (defaultLimits.maxFieldBytes + 2))
  })
})

describe('Host', () => {
  const withHosts = (version: string, hosts: readonly string[]): string =>
    `GET / HTTP/${version}\r\n${hosts.map(host => `Host: ${host}\r\n`).join('')}\r\n`

  it.each(each(['web', 'web:80', 'web:', 'a_b.c~d-e', '127.0.0.1:1', '[::1]', '[::1]:80', '%77eb', 'WEB.']))(
    'may be %s',
    (_shown, host) => expect(verdict(withHosts('1.1', [host]))).toBe('ok'),
  )

  it.each(
    each([
      '',
      ':80',
      'web, other',
      'a b',
      'a/b',
      'me@web',
      'web:99999',
      'web:8a',
      '::1',
      '[::1',
      '[]',
      '[x]',
      'w\xe9b',
      'a#b',
      'a?b',
      'a\\b',
      'a;b',
      '%7',
      '%zz',
    ]),
  )('may not be %s', (_shown, host) => expect(verdict(withHosts('1.1', [host]))).toBe('malformed'))

  it('stands once in HTTP/1.1, and at most once in HTTP/1.0', () => {
    expect(verdict(withHosts('1.1', []))).toBe('malformed')
    expect(verdict(withHosts('1.1', ['web', 'web']))).toBe('malformed')
    expect(verdict(withHosts('1.0', []))).toBe('ok')
    expect(verdict(withHosts('1.0', ['web', 'web']))).toBe('malformed')
  })
})

describe('the length of a body', () => {
  const framingOf = (...fields: readonly string[]): Framing | string => {
    const { told, heads } = readRequests([head(...fields)])
    return heads[0]?.framing ?? (told[0]?.what === 'problem' ? told[0].kind : '')
  }

  it.each([
    [[], { kind: 'none' }],
    [['Content-Length: 0'], { kind: 'length', bytes: 0 }],
    [['content-length:  0042 '], { kind: 'length', bytes: 42 }],
    [['Content-Length: 9007199254740991'], { kind: 'length', bytes: Number.MAX_SAFE_INTEGER }],
    [['Transfer-Encoding: chunked'], { kind: 'chunked' }],
    [['TRANSFER-ENCODING:CHUNKED'], { kind: 'chunked' }],
  ] as const)('is given by %j', (fields, framing) => expect(framingOf(...fields)).toEqual(framing))

  it.each([
    ...[
      '',
      '+5',
      '-5',
      '5,5',
      '5, 5',
      '5 5',
      '0x5',
      '5.0',
      '1e1',
      '5;',
      'five',
      '9007199254740992',
      '1'.repeat(17),
      '\xa05',
    ].map(value => [`Content-Length: ${value}`]),
    ['Content-Length: 5', 'Content-Length: 5'],
    ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    ['Transfer-Encoding: chunked', 'Content-Length: 0'],
    ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
    ...[
      '',
      'chunked, chunked',
      'chunked, gzip',
      'chunked,',
      ',chunked',
      '"chunked"',
      'chunked;q=1',
      '\xa0chunked',
      'c hunked',
    ].map(value => [`Transfer-Encoding: ${value}`]),
  ])('is in doubt: %s', (...fields) => expect(framingOf(...fields)).toBe('malformed'))

  it.each(['gzip, chunked', 'gzip', 'identity', 'xchunked', 'identity, chunked'])(
    'is coded in a way that is not read: %s',
    value => {
      expect(framingOf(`Transfer-Encoding: ${value}`)).toBe('unsupported')
    },
  )

  it('is in doubt when a field is one that frames it but for a hyphen, and when TRACE has one', () => {
    expect(verdict(head('Content_Length: 0'))).toBe('malformed')
    expect(verdict(head('Content-Length: 0', 'transfer_Encoding: chunked'))).toBe('malformed')
    expect(verdict('TRACE / HTTP/1.1\r\nHost: web\r\nContent-Length: 2\r\n\r\nhi')).toBe('malformed')
  })

  it('is in doubt when it is coded in HTTP/1.0, and when CONNECT has one', () => {
    expect(verdict('POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')).toBe('malformed')
    expect(verdict('CONNECT web:80 HTTP/1.1\r\nHost: web\r\nContent-Length: 1\r\n\r\nx')).toBe('malformed')
  })
})

describe('a body', () => {
  const chunked = (body: string): string => head('Transfer-Encoding: chunked') + body

  it('ends where its length says, and what follows is the next request', () => {
    const { told, heads } = readRequests([`${head('Content-Length: 5')}hello${head()}`])
    expect(told.map(({ what }) => what)).toEqual(['head', 'data', 'end', 'head', 'end'])
    expect(heads).toHaveLength(2)
  })

  it.each(
    each(['5\r\nhello\r\n0\r\n\r\n', '2\r\nhe\r\n00003\r\nllo\r\n0\r\n\r\n', '5;a;b="c d"\r\nhello\r\n0;x\r\n\r\n']),
  )('in chunks loses their framing: %s', (_shown, body) => {
    expect(readRequests([chunked(body)]).told.slice(1)).toEqual([
      { what: 'data', text: 'hello' },
      { what: 'end', trailers: undefined },
    ])
  })

  it.each(
    each([
      ' 5\r\n',
      '5 \r\n',
      '5 ;a\r\n',
      '0x5\r\n',
      '+5\r\n',
      '-5\r\n',
      '\r\n',
      ';a\r\n',
      'g\r\n',
      '5,5\r\n',
      '5\n',
      '5\rx',
      '5;a\n',
      '5;a\0\r\n',
      '5;\xff\r\n',
      '5;\t\r\n',
      '5\r\nhello0\r\n',
      '5\r\nhello\n',
      '5\r\nhello\rx',
      '4\r\nhello\r\n',
      '1'.repeat(14),
      '0\r\n\n',
      '0\r\n x: 1\r\n',
      '0\r\nX-T : 1\r\n',
    ]),
  )('in chunks is malformed: %s', (_shown, body) => expect(verdict(chunked(body))).toBe('malformed'))

  it('has a limit for its chunk extensions together, and for its trailers', () => {
    const chunk = `1;${'x'.repeat(1_000)}\r\na\r\n`
    expect(verdict(chunked(`${chunk.repeat(8)}0\r\n\r\n`))).toBe('ok')
    expect(verdict(chunked(chunk.repeat(9)))).toBe('tooLong')
    expect(verdict(chunked(`0\r\nX: ${'x'.repeat(9_000)}`))).toBe('tooLong')
  })

  it('may be followed by trailers; those that frame, route or authenticate are left out', () => {
    const trailers = [
      'X-T:1',
      'Host: a',
      'content-length: 5',
      'Authorization: b',
      'TE: c',
      'l5d-dtab: d',
      'l5d-sample: 1.0',
      'Via: 1.1 e',
      'Grpc-Status: 0',
    ]
    const { told } = readRequests([chunked(`0\r\n${trailers.map(line => `${line}\r\n`).join('')}\r\n`)])
    expect(told.at(-1)).toEqual({ what: 'end', trailers: 'X-T: 1\r\nGrpc-Status: 0\r\n' })
    expect(readRequests([chunked('0\r\nHost: a\r\n\r\n')]).told.at(-1)).toEqual({ what: 'end', trailers: undefined })
  })

  it.each(
    each(['GET', 'GET / HTTP/1.1\r\nHo', `${head('Content-Length: 5')}hell`, chunked('5\r\nhel'), chunked('0\r\n')]),
  )('or head that the stream ends in is cut: %s', (_shown, text) => expect(verdict(text)).toBe('cut'))
})

describe('what a request says of its connection', () => {
  const persistence = (version: string, ...fields: readonly string[]): boolean | undefined =>
    readRequests([`GET / HTTP/${version}\r\n${['Host: a', ...fields].join('\r\n')}\r\n\r\n`]).heads[0]?.isPersistent

  it.each([
    ['1.1', [], true],
    ['1.1', ['Connection: close'], false],
    ['1.1', ['Connection: x, CLOSE'], false],
    ['1.1', ['Connection: keep-alive', 'Connection: close'], false],
    ['1.0', [], false],
    ['1.0', ['Connection: Keep-Alive'], true],
    ['1.0', ['Connection: keep-alive, close'], false],
  ] as const)('decides whether it goes on: HTTP/%s %j', (version, fields, expected) => {
    expect(persistence(version, ...fields)).toBe(expected)
  })

  it.each(['a b', '"close"', 'close;', '@'])('is malformed when it is no list of options: %s', value => {
    expect(verdict(head(`Connection: ${value}`))).toBe('malformed')
  })

  it('asks for another protocol only with both fields, in HTTP/1.1, and never for h2c', () => {
    const upgradeOf = (text: string): string | undefined => readRequests([text]).heads[0]?.upgrade
    expect(upgradeOf(head('Upgrade: websocket', 'Connection: keep-alive, Upgrade'))).toBe('websocket')
    expect(upgradeOf(head('Upgrade: websocket'))).toBeUndefined()
    expect(upgradeOf(head('Connection: upgrade'))).toBeUndefined()
    expect(upgradeOf(head('Upgrade: websocket, h2c', 'Connection: upgrade'))).toBeUndefined()
    for (const carrying of ['H2C', 'h2c-14', 'h2', 'HTTP/2.0', 'TLS/1.0, HTTP/1.1', 'websocket,\th2c'])
      expect(upgradeOf(head(`Upgrade: ${carrying}`, 'Connection: upgrade')), carrying).toBeUndefined()
    for (const doubtful of ['h2c;q=1', '"h2c"', 'a b', 'a/b/c', 'a/', ','])
      expect(upgradeOf(head(`Upgrade: ${doubtful}`, 'Connection: upgrade')), doubtful).toBeUndefined()
    expect(upgradeOf(head('Upgrade: SPDY/3.1,', 'Upgrade: h2o', 'Connection: upgrade'))).toBeUndefined()
    expect(upgradeOf(head('Upgrade: SPDY/3.1,', 'Upgrade: WebSocket', 'Connection: upgrade'))).toBe(
      'SPDY/3.1, WebSocket',
    )
    expect(upgradeOf('GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n')).toBeUndefined()
  })
})

describe('Expect', () => {
  const expects = (...fields: readonly string[]): boolean | undefined =>
    readRequests([head(...fields)]).heads[0]?.expectsContinue

  it('asks for 100 only where a body follows', () => {
    expect(expects('Expect: 100-Continue', 'Content-Length: 1')).toBe(true)
    expect(expects('Expect: 100-continue', 'Transfer-Encoding: chunked')).toBe(true)
    expect(expects('Expect: 100-continue', 'Content-Length: 0')).toBe(false)
    expect(expects('Expect: 100-continue')).toBe(false)
    expect(expects()).toBe(false)
  })

  it('is malformed when it stands twice or asks for something else', () => {
    expect(verdict(head('Expect: 200-ok'))).toBe('malformed')
    expect(verdict(head('Expect: 100-continue', 'Expect: 100-continue'))).toBe('malformed')
  })
})

describe('a head that cannot be read', () => {
  const isOfHead = (text: string): boolean =>
    readRequests([text]).told.some(each => each.what === 'problem' && each.isOfHead)

  it.each(
    each([
      'HEAD / HTTP/1.1\r\n\r\n',
      'HEAD / HTTP/1.1\r\nHost : web\r\n\r\n',
      `HEAD / HTTP/1.0\r\nX: ${'x'.repeat(9_000)}`,
    ]),
  )('says that it is of a HEAD: %s', (_shown, text) => expect(isOfHead(text)).toBe(true))

  it.each(
    each([
      'GET / HTTP/1.1\r\n\r\n',
      'HEAR / HTTP/1.1\r\n\r\n',
      'head / HTTP/1.1\r\n\r\n',
      'HEAD / HTTP/1.1\r\nHost: web\r\n\r\nGET  / HTTP/1.1\r\n\r\n',
      `HEAD / HTTP/1.1\r\nHost: web\r\n\r\nHEAD /${'x'.repeat(5_000)}`,
    ]),
  )('does not say so of another, nor before its first line was read: %s', (_shown, text) =>
    expect(isOfHead(text)).toBe(false),
  )
})
