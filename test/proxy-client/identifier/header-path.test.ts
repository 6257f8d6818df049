import { describe, expect, it } from 'vitest'
import { asking } from './identify.fixture.ts'

const ask = asking({ kind: 'io.l5d.header' })

describe('io.l5d.header', () => {
  it('takes the whole path in l5d-name', () => {
    expect(ask({ fields: [['l5d-name', '/users/v2']] })).toBe('/svc/users/v2')
  })

  it('takes the header that the configuration names', () => {
    expect(asking({ kind: 'io.l5d.header', header: 'X-Name' })({ fields: [['x-name', '/a']] })).toBe('/svc/a')
  })

  it('does not identify a request without it, with two, or with what is no path', () => {
    expect(ask({})).toBe('400 the request has no l5d-name header')
    const two = [
      ['l5d-name', '/a'],
      ['l5d-name', '/b'],
    ] as const
    expect(ask({ fields: two })).toBe('400 the request has 2 l5d-name headers')
    expect(ask({ fields: [['l5d-name', 'users']] })).toMatch(/^400 the l5d-name header is not a path: /)
  })
})
