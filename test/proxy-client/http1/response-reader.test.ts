import { describe, expect, it } from 'vitest'
import { defaultLimits } from '../../../proxy-client/http1/limits.ts'
import { createResponseReader } from '../../../proxy-client/http1/response-reader.ts'
import { shown } from './hostile-corpus.fixture.ts'
import { readResponse } from './reading.fixture.ts'

const answer = (line: string, ...fields: readonly string[]): string => `${[line, ...fields, '', ''].join('\r\n')}`
const ok = (...fields: readonly string[]): string => answer('HTTP/1.1 200 OK', ...fields)
const kinds = (method: string, text: string): string[] =>
  readResponse(method, [text]).told.map(told => (told.what === 'problem' ? told.kind : told.what))

describe('a status line', () => {
  it.each([
    ['HTTP/1.1 200 OK', 200, 'OK'],
    ['HTTP/1.1 200 ', 200, ''],
    ['HTTP/1.1 200', 200, ''],
    ['HTTP/1.1 200  ', 200, ' '],
    ['HTTP/1.0 404 Not at all \xe9', 404, 'Not at all \xe9'],
    ['HTTP/1.1 999 odd', 999, 'odd'],
  ])('is taken: %j', (line, status, reason) => {
    expect(readResponse('GET', [answer(line)]).heads[0]).toMatchObject({ status, reason })
  })

  it.each(
    [
      'HTTP/1.1',
      'HTTP/1.1 ',
      'HTTP/1.1 20',
      'HTTP/1.1 2000 OK',
      'HTTP/1.1 200OK',
      'HTTP/1.1  200 OK',
      'HTTP/1.1\t200 OK',
      'HTTP/1.1 200\tOK',
      'HTTP/1.1 099 OK',
      'HTTP/1.1 +20 OK',
      'HTTP/1.1 200 \0',
      'HTTP/1.1 200 a\rb',
      'http/1.1 200 OK',
      'ICY 200 OK',
      '',
      '\r\nHTTP/1.1 200 OK',
    ].map(line => [shown(line), line] as const),
  )('is malformed: %s', (_shown, line) => expect(kinds('GET', answer(line))).toEqual(['malformed']))

  it('of another version is not read', () => {
    expect(kinds('GET', answer('HTTP/2.0 200 OK'))).toEqual(['otherVersion'])
    expect(kinds('GET', answer('HTTP/1.2 200 OK'))).toEqual(['otherVersion'])
  })
})

describe('a response', () => {
  const framingOf = (method: string, text: string) => readResponse(method, [text]).heads.at(-1)?.framing

  it.each([
    ['GET', ok('Content-Length: 2'), { kind: 'length', bytes: 2 }],
    ['GET', ok('Transfer-Encoding: chunked'), { kind: 'chunked' }],
    ['GET', ok(), { kind: 'close' }],
    ['HEAD', ok('Content-Length: 2'), { kind: 'none' }],
    ['HEAD', ok('Transfer-Encoding: chunked'), { kind: 'none' }],
    ['HEAD', ok(), { kind: 'none' }],
    ['GET', answer('HTTP/1.1 204 No Content'), { kind: 'none' }],
    ['GET', answer('HTTP/1.1 204 No Content', 'Content-Length: 0'), { kind: 'none' }],
    ['GET', answer('HTTP/1.1 304 Not Modified', 'Content-Length: 9'), { kind: 'none' }],
    ['GET', answer('HTTP/1.1 101 Switching Protocols', 'Upgrade: x', 'Connection: upgrade'), { kind: 'tunnel' }],
    ['CONNECT', ok(), { kind: 'tunnel' }],
    ['CONNECT', ok('Content-Length: 0'), { kind: 'tunnel' }],
    ['CONNECT', answer('HTTP/1.1 403 No', 'Content-Length: 2'), { kind: 'length', bytes: 2 }],
  ] as const)('to %s is framed: %j', (method, text, framing) => expect(framingOf(method, text)).toEqual(framing))

  it.each([
    ok('Content-Length: 2', 'Content-Length: 2'),
    ok('Content-Length: 2', 'Transfer-Encoding: chunked'),
    ok('Content-Length: 2, 2'),
    ok('Transfer-Encoding: chunked, chunked'),
    answer('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked'),
    answer('HTTP/1.1 204 No Content', 'Content-Length: 5'),
    answer('HTTP/1.1 204 No Content', 'Transfer-Encoding: chunked'),
    answer('HTTP/1.1 103 Early Hints', 'Content-Length: 5'),
    answer('HTTP/1.1 101 Switching Protocols', 'Content-Length: 5'),
  ])('in doubt is malformed: %j', text => expect(kinds('GET', text)).toEqual(['malformed']))

  it('with an unknown coding is not read', () => {
    expect(kinds('GET', ok('Transfer-Encoding: gzip, chunked'))).toEqual(['unsupported'])
  })

  it('is preceded by interim heads, a hundred at most', () => {
    const interim = answer('HTTP/1.1 103 Early Hints', 'Link: a')
    expect(kinds('GET', `${interim.repeat(100)}${ok('Content-Length: 0')}`).slice(98)).toEqual([
      'interim',
      'interim',
      'head',
      'end',
    ])
    expect(kinds('GET', interim.repeat(101)).at(-1)).toBe('malformed')
    expect(kinds('GET', interim)).toEqual(['interim', 'cut'])
  })

  it('without a length ends with the connection, and does not outlive it', () => {
    const { told, heads } = readResponse('GET', [ok(), 'hel', 'lo'])
    expect(told.slice(1)).toEqual([
      { what: 'data', text: 'hello' },
      { what: 'end', trailers: undefined },
    ])
    expect(heads[0]?.isPersistent).toBe(false)
    expect(kinds('GET', `${ok('Content-Length: 6')}hello`)).toEqual(['head', 'data', 'cut'])
  })

  it('leaves what follows it', () => {
    expect(readResponse('GET', [`${ok('Content-Length: 2')}hi`, 'HTTP/1.1 200']).rest).toBe('HTTP/1.1 200')
    expect(readResponse('HEAD', [`${ok('Content-Length: 2')}hi`]).rest).toBe('hi')
    expect(readResponse('CONNECT', [ok(), 'early']).rest).toBe('early')
  })

  it('goes on with the connection by version and Connection', () => {
    const persistence = (line: string, ...fields: readonly string[]) =>
      readResponse('GET', [answer(line, 'Content-Length: 0', ...fields)]).heads[0]?.isPersistent
    expect(persistence('HTTP/1.1 200 OK')).toBe(true)
    expect(persistence('HTTP/1.1 200 OK', 'Connection: Close')).toBe(false)
    expect(persistence('HTTP/1.0 200 OK')).toBe(false)
    expect(persistence('HTTP/1.0 200 OK', 'Connection: keep-alive')).toBe(true)
  })
})

describe('a reader of responses', () => {
  it('takes nothing that was not asked for', () => {
    const told: string[] = []
    const tell = (what: string) => () => void told.push(what)
    const sink = {
      onHead: tell('head'),
      onInterim: tell('interim'),
      onData: tell('data'),
      onEnd: tell('end'),
      onProblem: tell('problem'),
    }
    const reader = createResponseReader(defaultLimits, sink)
    const bytes = Buffer.from(ok('Content-Length: 0'))
    expect(reader.read(bytes, 0)).toBe(0)
    reader.expect('GET')
    expect(reader.read(bytes, 0)).toBe(bytes.length)
    expect(reader.read(bytes, 0)).toBe(0)
    reader.finish()
    expect(told).toEqual(['head', 'end'])
  })

  it('is in a message from its first byte to its last', () => {
    const reader = createResponseReader(defaultLimits, {
      onHead: () => {},
      onInterim: () => {},
      onData: () => {},
      onEnd: () => {},
      onProblem: () => {},
    })
    reader.expect('GET')
    const states = [...`${answer('HTTP/1.1 100 Continue')}${ok('Content-Length: 1')}x`].map(byte => {
      reader.read(Buffer.from(byte), 0)
      return reader.isInMessage
    })
    expect(states.indexOf(false)).toBe(states.length - 1)
  })
})
