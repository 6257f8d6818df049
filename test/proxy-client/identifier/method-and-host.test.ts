import { describe, expect, it } from 'vitest'
import { asking } from './identify.fixture.ts'

const kind = 'io.l5d.methodAndHost'
const host = [['Host', 'Web:80']] as const

describe('io.l5d.methodAndHost', () => {
  it('names a request by version, method and host', () => {
    expect(asking({ kind })({ method: 'POST', target: '/a?b', fields: host })).toBe('/svc/1.1/POST/web:80')
  })

  it('adds the path, without its query, when it is asked to', () => {
    const ask = asking({ kind, httpUriInDst: true })
    expect(ask({ target: '/a/b?c=/d', fields: host })).toBe('/svc/1.1/GET/web:80/a/b')
    expect(ask({ target: '/', fields: host })).toBe('/svc/1.1/GET/web:80')
    expect(ask({ target: '*', method: 'OPTIONS', fields: host })).toBe('/svc/1.1/OPTIONS/web:80')
  })

  it('names an HTTP/1.0 request without a host', () => {
    expect(asking({ kind })({ minor: 0, fields: host })).toBe('/svc/1.0/GET')
    expect(asking({ kind, httpUriInDst: true })({ minor: 0, target: '/a' })).toBe('/svc/1.0/GET/a')
  })

  it('does not identify a request without a host, or with what is none', () => {
    expect(asking({ kind })({})).toBe('400 the request has no Host header')
    expect(asking({ kind })({ fields: [['Host', 'a b']] })).toMatch(/^400 the Host header is not a host name/)
  })

  it('does not identify by a path that cannot be a part of a name', () => {
    const ask = asking({ kind, httpUriInDst: true })
    expect(ask({ target: '/a//b', fields: host })).toMatch(/^400 the request's path cannot be a part of a name: /)
  })
})
