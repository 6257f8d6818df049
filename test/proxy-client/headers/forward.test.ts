import { describe, expect, it } from 'vitest'
import {
  interimLines,
  type OutgoingRequest,
  requestHeadText,
  responseLines,
  trailerLines,
  tunnelLines,
} from '../../../proxy-client/headers/forward.ts'
import { fieldsOf } from '../../../proxy-client/http1/fields-of.ts'
import type { ResponseHead } from '../../../proxy-client/http1/message.ts'
import { type Pairs, requestHead } from '../request-head.fixture.ts'

const via = 'Via: 1.1 nameplane\r\n'

function requestText(fields: Pairs, more: Partial<OutgoingRequest> = {}): string {
  const head = requestHead({ fields })
  const host = head.fields.first('host')
  const ours = { destination: '', requestId: '1', deadline: undefined, added: '' }
  return requestHeadText({ head, method: 'GET', target: '/', host, ...ours, ...more })
}

/** The field lines alone, without those that every request gets. */
function requestLines(fields: Pairs): string {
  return requestText(fields)
    .replace(/^GET \/ HTTP\/1\.1\r\nHost: .*\r\n/, '')
    .replace(/l5d-reqid: 1\r\n$/, '')
}

function responseHead(fields: Pairs): ResponseHead {
  const framing = { kind: 'none' } as const
  return {
    status: 200,
    reason: 'OK',
    minor: 1,
    fields: fieldsOf(fields),
    framing,
    isPersistent: true,
    upgrade: undefined,
  }
}

const hopByHop: Pairs = [
  ['Connection', 'keep-alive'],
  ['Keep-Alive', 'timeout=5'],
  ['Proxy-Connection', 'keep-alive'],
  ['TE', 'trailers'],
  ['Trailer', 'x'],
  ['Transfer-Encoding', 'chunked'],
  ['Content-Length', '1'],
  ['Upgrade', 'h2c'],
  ['Expect', '100-continue'],
  ['Proxy-Authorization', 'Basic x'],
  ['Proxy-Authenticate', 'Basic'],
]

describe('the head of a request that is sent on', () => {
  it('is a request line, Host, what came, and what this hop adds', () => {
    const text = requestText(
      [
        ['X-B', '1'],
        ['Host', 'web'],
        ['x-a', '2'],
        ['X-B', '3'],
      ],
      {
        method: 'POST',
        target: '/a?b',
        destination: 'l5d-dst-service: /svc/web\r\n',
        requestId: 'abc',
        added: 'Forwarded: for=x\r\n',
      },
    )
    expect(text).toBe(
      'POST /a?b HTTP/1.1\r\nHost: web\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\n' +
        `${via}l5d-dst-service: /svc/web\r\nl5d-reqid: abc\r\nForwarded: for=x\r\n`,
    )
  })

  it('has the host that it is given, and an empty one rather than none', () => {
    expect(requestText([['Host', 'web']], { host: 'other' })).toContain('\r\nHost: other\r\n')
    expect(requestText([])).toContain('\r\nHost: \r\n')
  })

  it('leaves hop-by-hop fields and framing behind', () => {
    expect(requestLines([...hopByHop, ['X', 'y']])).toBe(`X: y\r\n${via}`)
  })

  it('leaves behind what Connection names', () => {
    const fields: Pairs = [
      ['Connection', 'close, X-Secret ,'],
      ['X-Secret', '1'],
      ['X-Open', '2'],
      ['connection', 'x-also'],
      ['X-Also', '3'],
    ]
    expect(requestLines(fields)).toBe(`X-Open: 2\r\n${via}`)
  })

  it('does not lose Host or Via to a Connection that names them', () => {
    const fields: Pairs = [
      ['Connection', 'host, via'],
      ['Host', 'web'],
      ['Via', '1.1 a'],
    ]
    expect(requestText(fields)).toContain('\r\nHost: web\r\nVia: 1.1 a, 1.1 nameplane\r\n')
  })

  it('appends this hop to Via with the version in which the request came', () => {
    const fields: Pairs = [
      ['Via', '1.1 a'],
      ['via', '1.0 b'],
    ]
    expect(requestText([], { head: requestHead({ minor: 0, fields }) })).toContain(
      '\r\nVia: 1.1 a, 1.0 b, 1.0 nameplane\r\n',
    )
    expect(requestText([], { head: requestHead({ minor: 0 }) })).toContain('\r\nVia: 1.0 nameplane\r\n')
  })

  it('replaces what a client claims of destinations by what this hop found', () => {
    const claimed: Pairs = [
      ['l5d-dst-service', '/x'],
      ['L5d-Dst-Client', '/y'],
      ['l5d-dst-residual', '/z'],
      ['l5d-dtab', '/a=>/b'],
      ['l5d-ctx-dtab', '/c=>/d'],
      ['l5d-reqid', '2'],
    ]
    expect(requestLines(claimed)).toBe(via)
  })

  it('passes other context on, and a deadline unless this hop has a stricter one', () => {
    const fields: Pairs = [
      ['l5d-ctx-trace', 'AA=='],
      ['l5d-ctx-deadline', '1 2'],
      ['l5d-sample', '1'],
    ]
    expect(requestLines(fields)).toBe(`l5d-ctx-trace: AA==\r\nl5d-ctx-deadline: 1 2\r\nl5d-sample: 1\r\n${via}`)
    expect(requestText(fields, { deadline: '3 4' })).toContain(
      `l5d-ctx-trace: AA==\r\nl5d-sample: 1\r\n${via}l5d-reqid: 1\r\nl5d-ctx-deadline: 3 4\r\n`,
    )
  })
})

describe('the lines of a response that is sent back', () => {
  it('are those that came without the hop-by-hop ones, Via, and what this hop thinks of it', () => {
    const head = responseHead([...hopByHop, ['Server', 'x'], ['l5d-success-class', '0.5']])
    expect(responseLines(head, true)).toBe(`Server: x\r\n${via}l5d-success-class: 1.0\r\n`)
    expect(responseLines(head, false)).toBe(`Server: x\r\n${via}l5d-success-class: 0.0\r\n`)
  })

  it('lead back to the host that the client asked when the upstream has another', () => {
    const rewrite = { authority: 'inner:8080', host: 'web' }
    const head = responseHead([
      ['Location', 'http://INNER:8080/a'],
      ['X', 'y'],
      ['refresh', '5; url=https://inner:8080'],
    ])
    expect(responseLines(head, true, rewrite)).toBe(
      `X: y\r\nLocation: http://web/a\r\nRefresh: 5; url=https://web\r\n${via}l5d-success-class: 1.0\r\n`,
    )
  })

  it('of a tunnel name the protocol that it changes to', () => {
    const upgrade: Pairs = [
      ['Connection', 'keep-alive, Upgrade'],
      ['Upgrade', 'websocket'],
      ['Sec-WebSocket-Accept', 'x'],
    ]
    const head = { ...responseHead(upgrade), status: 101, upgrade: 'websocket' }
    expect(tunnelLines(head)).toBe(`Sec-WebSocket-Accept: x\r\n${via}Upgrade: websocket\r\n`)
    expect(tunnelLines(responseHead([]))).toBe(`${via}`)
  })

  it('of an interim response and of trailers have nothing of ours', () => {
    expect(interimLines(responseHead([...hopByHop, ['Link', '<x>'], ['l5d-err', 'y']]))).toBe('Link: <x>\r\n')
    expect(
      trailerLines(
        fieldsOf([
          ['X-Sum', '1'],
          ['Connection', 'x-sum'],
          ['Host', 'x'],
        ]),
      ),
    ).toBe('X-Sum: 1\r\n')
  })
})
