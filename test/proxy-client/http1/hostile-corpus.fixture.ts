// Requests and responses that readers of HTTP disagree on, as products of tables.

export interface HostileCase {
  readonly title: string
  /** Bytes as latin-1. */
  readonly bytes: string
}

/** What a smuggled request asks for; no case asks for it as a request of its own. */
export const smuggledTarget = '/smuggled'

/** The request that follows each case. */
export const smuggled = `GET ${smuggledTarget} HTTP/1.1\r\nHost: web\r\n\r\n`

/** A text with everything but visible ASCII escaped, for titles. */
export function shown(text: string): string {
  return JSON.stringify(text).replace(/[\x7f-\xff]/g, byte => `\\x${byte.charCodeAt(0).toString(16)}`)
}

const lengthValues = [
  '0',
  '5',
  '05',
  '005',
  '+5',
  '-5',
  '5,5',
  '5, 5',
  '5, 6',
  '0x5',
  '5;',
  '5 5',
  '5.0',
  '1e1',
  '5_0',
  'five',
  '',
  '\x005',
  '5\x00',
  '5\r',
  '\x0b5',
  '5\x0c',
  '\xa05',
  '18446744073709551621',
  '9007199254740992',
  '9007199254740991',
  '4294967301',
  `${'0'.repeat(20)}5`,
]

const codingValues = [
  'chunked',
  'Chunked',
  'CHUNKED',
  'chunked ',
  '\tchunked',
  'chunked\t',
  'xchunked',
  'chunkedx',
  'chunked, chunked',
  'chunked,',
  ',chunked',
  'gzip, chunked',
  'chunked, gzip',
  'identity',
  'identity, chunked',
  '"chunked"',
  'chunked;q=1',
  '\x0bchunked',
  'chunked\x00',
  '\x00chunked',
  'chunked\x0c',
  '\xa0chunked',
  'chunked\xa0',
  'c hunked',
  'chun\rked',
  'chunked\r',
  'trailers',
  '\r\n chunked',
  '\r\n\tchunked',
  'chunked\r\n ',
  '',
  ' ',
  'x\nchunked',
  'chun\x6bed\x7f',
  'chunKed',
]

const codingNames = [
  'transfer-encoding',
  'TRANSFER-ENCODING',
  'Transfer-Encoding ',
  'Transfer-Encoding\t',
  ' Transfer-Encoding',
  '\tTransfer-Encoding',
  'Transfer_Encoding',
  'Transfer Encoding',
  'Transfer-Encoding\x00',
  '\x00Transfer-Encoding',
  'Transfer\x00-Encoding',
  'Transfer-Encoding\x0b',
  'X: y\nTransfer-Encoding',
  'X: y\rTransfer-Encoding',
  'X: y\r\n\r\nTransfer-Encoding',
  'Transfer-Encoding\r\n',
  'Transfer-\r\n Encoding',
  '"Transfer-Encoding"',
  'Transfer-Encoding\xa0',
  'Tran\x73fer-Encoding\x7f',
  ':Transfer-Encoding',
  'X\x00: y\r\nTransfer-Encoding',
]

const chunkedBodies = [
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  '05\r\nhello\r\n0\r\n\r\n',
  '5;a=b\r\nhello\r\n0;c\r\n\r\n',
  '5;a="b c"\r\nhello\r\n0\r\n\r\n',
  '5 ;a\r\nhello\r\n0\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  ' 5\r\nhello\r\n0\r\n\r\n',
  '\t5\r\nhello\r\n0\r\n\r\n',
  '0x5\r\nhello\r\n0\r\n\r\n',
  '+5\r\nhello\r\n0\r\n\r\n',
  '-5\r\nhello\r\n0\r\n\r\n',
  '5\nhello\n0\n\n',
  '5\r\nhello\n0\r\n\r\n',
  '5\r\nhello\r0\r\n\r\n',
  '5\rhello\r\n0\r\n\r\n',
  '5\r\nhello0\r\n\r\n',
  '5\r\nhelloXX0\r\n\r\n',
  '4\r\nhello\r\n0\r\n\r\n',
  '6\r\nhello\r\n0\r\n\r\n',
  '5;\nhello\r\n0\r\n\r\n',
  '5;a=\x00\r\nhello\r\n0\r\n\r\n',
  '5;a\rb\r\nhello\r\n0\r\n\r\n',
  `5;${'x'.repeat(9_000)}\r\nhello\r\n0\r\n\r\n`,
  '5;\xff\r\nhello\r\n0\r\n\r\n',
  '5,5\r\nhello\r\n0\r\n\r\n',
  'fffffffffffffffb\r\nhello\r\n0\r\n\r\n',
  '100000005\r\nhello\r\n0\r\n\r\n',
  '10000000000000005\r\nhello\r\n0\r\n\r\n',
  '\r\nhello\r\n0\r\n\r\n',
  ';\r\n\r\n',
  'g\r\n\r\n',
  '5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n',
  '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n',
  '5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\nHost: other\r\nX-T: 2\r\n\r\n',
  '5\r\nhello\r\n0\r\n folded: 1\r\n\r\n',
  '5\r\nhello\r\n0\r\nX-T : 1\r\n\r\n',
  '5\r\nhello\r\n0\r\nX-T: 1\n\n',
  '5\r\nhello\r\n0\r\nno colon\r\n\r\n',
  '5\r\nhello\r\n0\n\r\n',
  '5\r\nhello\r\n0\r\n\n',
  '5\r\nhello\r\n0\r\nX-T: \x00\r\n\r\n',
  `5\r\nhello\r\n0\r\nX-T: ${'x'.repeat(9_000)}\r\n\r\n`,
  '00000\r\n\r\n',
  '5\r\nhello\r\n00;x\r\n\r\n',
]

const requestLines = [
  'GET / HTTP/1.1',
  'GET  / HTTP/1.1',
  'GET /  HTTP/1.1',
  'GET\t/ HTTP/1.1',
  'GET / HTTP/1.1 ',
  ' GET / HTTP/1.1',
  'GET /',
  'GET',
  '',
  'GET / HTTP/1.1 HTTP/1.1',
  'GET / HTTP/1.0',
  'GET / HTTP/0.9',
  'GET / HTTP/1.2',
  'GET / HTTP/2.0',
  'GET / HTTP/1.10',
  'GET / HTTP/01.1',
  'GET / HTTP/1,1',
  'GET / http/1.1',
  'GET / HTTPS/1.1',
  'GET / HTTP/1.',
  'GET / HTTP/11',
  'GET /a b HTTP/1.1',
  'GET /a\x00b HTTP/1.1',
  'GET /a\rb HTTP/1.1',
  'GET /a\nb HTTP/1.1',
  'GET /\xff HTTP/1.1',
  'GET /a#b HTTP/1.1',
  'GET /a|b{c}^`"<>\\ HTTP/1.1',
  'GET /../../x HTTP/1.1',
  'GET //evil/x HTTP/1.1',
  'GET /%00%0d%0a HTTP/1.1',
  'GET * HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'GET foo HTTP/1.1',
  'GET ?a HTTP/1.1',
  'GET http://web/a?b HTTP/1.1',
  'GET http://other/a HTTP/1.1',
  'GET HTTP://web HTTP/1.1',
  'GET http://web?a HTTP/1.1',
  'GET http:///a HTTP/1.1',
  'GET http://user@web/a HTTP/1.1',
  'GET http://web:99999/ HTTP/1.1',
  'GET http://web#x HTTP/1.1',
  'GET http://web\\@other/ HTTP/1.1',
  'GET http:/web/a HTTP/1.1',
  'GET https://web/a HTTP/1.1',
  'GET file:///etc HTTP/1.1',
  'CONNECT web:80 HTTP/1.1',
  'CONNECT web HTTP/1.1',
  'CONNECT /a HTTP/1.1',
  'CONNECT http://web/ HTTP/1.1',
  'G\x00T / HTTP/1.1',
  'GET: / HTTP/1.1',
  'G(T / HTTP/1.1',
  'get / HTTP/1.1',
  'HEAD / HTTP/1.1',
  'TRACE / HTTP/1.1',
  'X-ODD~1 / HTTP/1.1',
  `GET /${'a'.repeat(4_000)} HTTP/1.1`,
  `GET /${'a'.repeat(5_000)} HTTP/1.1`,
  `${'G'.repeat(5_000)} / HTTP/1.1`,
  'PRI * HTTP/2.0',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
]

const hostFields = [
  [],
  ['Host:'],
  ['Host: '],
  ['Host: web', 'Host: web'],
  ['Host: web', 'Host: other'],
  ['Host: web, other'],
  ['Host: web other'],
  ['Host: web/'],
  ['Host: user@web'],
  ['Host: web:'],
  ['Host: web:80'],
  ['Host: web:99999'],
  ['Host: web:8a'],
  ['Host: [::1]'],
  ['Host: [::1]:80'],
  ['Host: [::1'],
  ['Host: ::1'],
  ['Host: web\x00'],
  ['Host: w\xe9b'],
  ['Host: web#x'],
  ['Host: web?x'],
  ['Host: web\\x'],
  ['Host : web'],
  [' Host: web'],
  ['HOST: web'],
  ['Host: web\tother'],
  ['Host: %77eb'],
  ['Host: %7'],
  ['Host: web;x'],
  ['Host: "web"'],
  ['Host: web.'],
] as const

const oddFields = [
  'X-A: 1\r\n folded',
  'X-A:\r\n folded',
  'X-A: 1\r\n\tTransfer-Encoding: chunked',
  'X-A : 1',
  'X-A\t: 1',
  ': no name',
  'no colon',
  'X-A',
  'X A: 1',
  'X-A: 1\x00',
  'X-\x00A: 1',
  'X-A: 1\rX-B: 2',
  'X-A: 1\nX-B: 2',
  'X-A: \x7f',
  'X-A: \x01',
  'X-A: \x80\xff',
  'X-\xe9: 1',
  'X-A:1',
  'X-A:   1   ',
  'X-A:\t1\t',
  'X-A:',
  'X-A: ',
  'X-(A): 1',
  'X-A;: 1',
  '"X": 1',
  'X-A: "a\\"b"',
  '@: 1',
  `X-Long: ${'x'.repeat(8_100)}`,
  `X-Long: ${'x'.repeat(9_000)}`,
  `${'X'.repeat(9_000)}: 1`,
  Array.from({ length: 101 }, (_, i) => `X-${i}: 1`).join('\r\n'),
  'Connection: close, content-length',
  'Connection: Host',
  'Connection: transfer-encoding',
  'Connection: x-a, close',
  'Connection: a b',
  'Connection: ,,close,',
  'Connection: "close"',
  'Connection:',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: keep-alive',
  'TE: trailers',
  'TE: chunked',
  'Trailer: X-T',
  'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA',
  'Expect: 100-continue',
  'Expect: something',
  'Expect: 100-continue\r\nExpect: 100-continue',
  'Content-Length: 0\r\nExpect: 100-continue',
  'X-Forwarded-For: 1.1.1.1',
  'l5d-sample: 1.0',
  'Content-Type: a\r\nContent-Type: b',
  'Cookie: a=b; c="d',
  'Max-Forwards: 0',
  'Via: 1.1 a',
  'Upgrade: h2c-14\r\nConnection: upgrade',
  'Upgrade: HTTP/2.0\r\nConnection: upgrade',
  'Upgrade: TLS/1.0, HTTP/1.1\r\nConnection: Upgrade',
  'Upgrade: websocket;h2c\r\nConnection: Upgrade',
  'Connection: upgrade\r\nUpgrade: websocket',
  'Expect: 100-continue, 100-continue',
  'Expect: y 100-continue',
  'Expect: 100-continue;q=1',
  ' Expect: 100-continue',
  'Expect:\r\n 100-continue',
  'Expect: 100-Continue\t',
  'Content_Length: 5',
  'Transfer_Encoding: chunked',
  'Connection: via, l5d-reqid, x-a\r\nX-A: b',
] as const

const framed = (fields: readonly string[], body: string, version = '1.1'): string =>
  `POST /a HTTP/${version}\r\nHost: web\r\n${fields.map(line => `${line}\r\n`).join('')}\r\n${body}${smuggled}`

const titled = (topic: string, bytes: string): HostileCase => ({
  title: `${topic}: ${shown(bytes.slice(0, 110))}`,
  bytes,
})

function* requestCases(): Generator<HostileCase> {
  for (const value of lengthValues) yield titled('length', framed([`Content-Length: ${value}`], 'hello'))
  for (const value of lengthValues) {
    yield titled('CL.CL', framed(['Content-Length: 5', `Content-Length: ${value}`], 'hello'))
    yield titled('CL.TE', framed([`Content-Length: ${value}`, 'Transfer-Encoding: chunked'], '0\r\n\r\n'))
    yield titled('TE.CL', framed(['Transfer-Encoding: chunked', `Content-Length: ${value}`], '5\r\nhello\r\n0\r\n\r\n'))
  }
  for (const value of codingValues) {
    yield titled('coding', framed([`Transfer-Encoding: ${value}`], '0\r\n\r\n'))
    yield titled('coding without space', framed([`Transfer-Encoding:${value}`], '5\r\nhello\r\n0\r\n\r\n'))
    yield titled('TE.TE', framed(['Transfer-Encoding: chunked', `Transfer-Encoding: ${value}`], '0\r\n\r\n'))
    yield titled('TE.TE', framed([`Transfer-Encoding: ${value}`, 'Transfer-Encoding: chunked'], '0\r\n\r\n'))
    yield titled('CL.TE', framed(['Content-Length: 5', `Transfer-Encoding: ${value}`], '0\r\n\r\n'))
    yield titled('coding on HTTP/1.0', framed([`Transfer-Encoding: ${value}`], '0\r\n\r\n', '1.0'))
  }
  for (const name of codingNames) {
    yield titled('name', framed([`${name}: chunked`], '0\r\n\r\n'))
    yield titled('CL.TE by name', framed(['Content-Length: 5', `${name}: chunked`], '0\r\n\r\n'))
    yield titled('TE.CL by name', framed([`${name}: chunked`, 'Content-Length: 5'], '0\r\n\r\n'))
  }
  for (const body of chunkedBodies) yield titled('chunks', framed(['Transfer-Encoding: chunked'], body))
  for (const line of requestLines) yield titled('request line', `${line}\r\nHost: web\r\n\r\n${smuggled}`)
  for (const host of hostFields) {
    for (const version of ['1.0', '1.1']) {
      yield titled('host', `GET / HTTP/${version}\r\n${host.map(line => `${line}\r\n`).join('')}\r\n${smuggled}`)
    }
  }
  for (const line of oddFields) {
    yield titled('field', `GET / HTTP/1.1\r\nHost: web\r\n${line}\r\n\r\n${smuggled}`)
    yield titled('first field', `GET / HTTP/1.1\r\n${line}\r\nHost: web\r\n\r\n${smuggled}`)
  }
  for (const end of ['\n', '\r', '\r\r\n', '\n\r', '\r\n\n', '\r\n \r\n', '\x0b', '\x85']) {
    yield titled('line end', framed(['Content-Length: 5'], 'hello').replaceAll('\r\n', end))
    yield titled('end of head', `GET / HTTP/1.1\r\nHost: web${end}${end}${smuggled}`)
    yield titled('end of request line', `GET / HTTP/1.1${end}Host: web\r\n\r\n${smuggled}`)
  }
  for (const before of ['\r\n', '\r\n\r\n', '\n', '\r', ' ', '\x00', '\r\nX'])
    yield titled('before', before + framed([], ''))
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PUT', 'X']) {
    for (const version of ['1.0', '1.1']) {
      const head = `${method} /a HTTP/${version}\r\nHost: web\r\nConnection: keep-alive\r\n`
      yield titled('CL.0', `${head}Content-Length: ${smuggled.length}\r\n\r\n${smuggled}${smuggled}`)
      yield titled(
        'TE.0',
        `${head}Transfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n${smuggled}`,
      )
      yield titled('0.CL', `${head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello${smuggled}`)
    }
  }
  yield titled(
    'CONNECT with a body',
    `CONNECT web:80 HTTP/1.1\r\nHost: web:80\r\nContent-Length: 5\r\n\r\nhello${smuggled}`,
  )
}

/** Whole streams of a client. Each is followed by a request for `smuggledTarget`: a reader that cuts elsewhere sees it elsewhere. */
export const hostileRequests: readonly HostileCase[] = [...requestCases()]

const statusLines = [
  'HTTP/1.1 200',
  'HTTP/1.1 200 ',
  'HTTP/1.1 200 OK',
  'HTTP/1.1  200 OK',
  'HTTP/1.1 20 OK',
  'HTTP/1.1 2000 OK',
  'HTTP/1.1 099 OK',
  'HTTP/1.1 2x0 OK',
  'HTTP/1.1 +20 OK',
  'HTTP/1.1 200\tOK',
  'HTTP/1.1 200OK',
  'HTTP/1.1',
  'HTTP/1.1 ',
  'HTTP/2.0 200 OK',
  'HTTP/1.2 200 OK',
  'HTTP/1.0 200 OK',
  'http/1.1 200 OK',
  'ICY 200 OK',
  'SSH-2.0-OpenSSH',
  '',
  ' HTTP/1.1 200 OK',
  'HTTP/1.1 200 \x00',
  'HTTP/1.1 200 a\rb',
  'HTTP/1.1 200 \xe9t\xe9',
  `HTTP/1.1 200 ${'x'.repeat(5_000)}`,
  'HTTP/1.1 999 odd',
  'HTTP/1.1 204 No Content',
  'HTTP/1.1 304 Not Modified',
  'HTTP/1.1 101 Switching Protocols',
  'HTTP/1.1 103 Early Hints',
]

function* responseCases(): Generator<HostileCase> {
  const answer = (line: string, fields: readonly string[], body: string): string =>
    `${line}\r\n${fields.map(text => `${text}\r\n`).join('')}\r\n${body}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned`
  const ok = 'HTTP/1.1 200 OK'
  for (const line of statusLines) {
    yield titled('status line', answer(line, ['Content-Length: 2'], 'hi'))
    yield titled('status line, no body', answer(line, [], ''))
    yield titled('status line, chunked', answer(line, ['Transfer-Encoding: chunked'], '2\r\nhi\r\n0\r\n\r\n'))
  }
  for (const value of lengthValues) {
    yield titled('length', answer(ok, [`Content-Length: ${value}`], 'hello'))
    yield titled('CL.TE', answer(ok, [`Content-Length: ${value}`, 'Transfer-Encoding: chunked'], '0\r\n\r\n'))
    yield titled('CL.CL', answer(ok, ['Content-Length: 5', `Content-Length: ${value}`], 'hello'))
  }
  for (const value of codingValues) yield titled('coding', answer(ok, [`Transfer-Encoding: ${value}`], '0\r\n\r\n'))
  for (const name of codingNames) yield titled('name', answer(ok, [`${name}: chunked`], '0\r\n\r\n'))
  for (const body of chunkedBodies) yield titled('chunks', answer(ok, ['Transfer-Encoding: chunked'], body))
  for (const line of oddFields) yield titled('field', answer(ok, [line, 'Content-Length: 2'], 'hi'))
  yield titled(
    'interims',
    `${'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(200)}${answer(ok, ['Content-Length: 2'], 'hi')}`,
  )
  yield titled('HTTP/1.0 coding', answer('HTTP/1.0 200 OK', ['Transfer-Encoding: chunked'], '0\r\n\r\n'))
}

/** What a backend says to one request, with a second response in the same breath that nobody asked for. */
export const hostileResponses: readonly HostileCase[] = [...responseCases()]
