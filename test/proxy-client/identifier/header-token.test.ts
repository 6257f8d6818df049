import { describe, expect, it } from 'vitest'
import { createHeaderToken } from '../../../proxy-client/identifier/header-token.ts'
import { identifiable, type Pairs } from '../request-head.fixture.ts'
import { asking } from './identify.fixture.ts'

const kind = 'io.l5d.header.token'
const identify = (fields: Pairs, header = 'Host'): string => asking({ kind, header })({ fields })

describe('io.l5d.header.token', () => {
  it('names a request by its host, in lower case, and keeps the port', () => {
    expect(identify([['Host', 'web']])).toBe('/svc/web')
    expect(identify([['hOST', 'Web.Example.COM:8080']])).toBe('/svc/web.example.com:8080')
  })

  it('takes an IPv6 literal as one label', () => {
    const identification = createHeaderToken('Host', ['svc'])(identifiable({ fields: [['Host', '[::1]:80']] }))
    expect(identification).toMatchObject({ kind: 'identified', path: ['svc', '[::1]:80'], target: undefined })
  })

  it('goes by the host of the request, which an absolute URI may have given', () => {
    const request = { ...identifiable({ fields: [['Host', 'other']] }), host: 'web' }
    expect(createHeaderToken('host', ['svc'])(request)).toMatchObject({ text: '/svc/web' })
  })

  it('does not identify a request without a host', () => {
    expect(identify([['X', 'y']])).toBe('400 the request has no Host header')
    expect(identify([['Host', '']])).toBe('400 the request has no Host header')
  })

  it.each(['a/b', 'a b', 'a:b:c', 'user@web', 'web:port', '[::1', 'w\u00e9b', 'a\tb', 'web:123456'])(
    'does not identify %j, which is no host',
    host => {
      expect(identify([['Host', host]])).toBe('400 the Host header is not a host name with an optional port')
    },
  )

  it('takes another header as it is', () => {
    const fields: Pairs = [
      ['Host', 'web'],
      ['X-Service', 'Users/v2'],
    ]
    expect(identify(fields, 'x-service')).toBe(String.raw`/svc/\x55\x73\x65\x72\x73\x2f\x76\x32`)
  })

  it('does not choose between two values of another header', () => {
    const fields: Pairs = [
      ['X-Service', 'a'],
      ['X-Service', 'a'],
    ]
    expect(identify(fields, 'X-Service')).toBe('400 the request has 2 X-Service headers')
  })

  it('gives the same answer for the same host, so that it costs one look-up', () => {
    const identifier = createHeaderToken('Host', ['svc'])
    const answer = identifier(identifiable({ fields: [['Host', 'web']] }))
    expect(identifier(identifiable({ target: '/x', fields: [['Host', 'web']] }))).toBe(answer)
  })
})
