import { describe, expect, it } from 'vitest'
import { showPath } from '../../../naming/path.ts'
import type { RawHeaders } from '../../../proxy-client/headers/raw-headers.ts'
import { createHeaderToken } from '../../../proxy-client/identifier/header-token.ts'

function identify(headers: RawHeaders, header = 'Host'): string {
  const identification = createHeaderToken(header, ['svc'])({ method: 'GET', target: '/', headers })
  return identification.kind === 'identified' ? showPath(identification.path) : `400 ${identification.reason}`
}

describe('io.l5d.header.token', () => {
  it('names a request by its host, in lower case, and keeps the port', () => {
    expect(identify(['Host', 'web'])).toBe('/svc/web')
    expect(identify(['hOST', 'Web.Example.COM:8080'])).toBe('/svc/web.example.com:8080')
  })

  it('takes an IPv6 literal as one label', () => {
    expect(createHeaderToken('Host', ['svc'])({ method: 'GET', target: '/', headers: ['Host', '[::1]:80'] })).toEqual({
      kind: 'identified',
      path: ['svc', '[::1]:80'],
    })
  })

  it('does not identify a request without a host', () => {
    expect(identify(['X', 'y'])).toBe('400 the request has no Host header')
    expect(identify(['Host', ''])).toBe('400 the request has no Host header')
  })

  it('does not identify a request with two hosts', () => {
    expect(identify(['Host', 'a', 'host', 'a'])).toBe('400 the request has 2 Host headers')
  })

  it.each(['a/b', 'a b', 'a:b:c', 'user@web', 'web:port', '[::1', 'wéb', 'a\tb', 'web:123456'])(
    'does not identify %j, which is no host',
    host => {
      expect(identify(['Host', host])).toBe('400 the Host header is not a host name with an optional port')
    },
  )

  it('takes another header as it is', () => {
    expect(identify(['Host', 'web', 'X-Service', 'Users/v2'], 'x-service')).toBe(
      String.raw`/svc/\x55\x73\x65\x72\x73\x2f\x76\x32`,
    )
  })
})
