import { describe, expect, it } from 'vitest'
import { normaliseTarget } from '../../../proxy-client/exchange/request-target.ts'

describe('a request target', () => {
  it('that is a path stays, with its headers', () => {
    const headers = ['Host', 'web']
    expect(normaliseTarget('/a?b=http://c', headers)).toEqual({ target: '/a?b=http://c', headers })
  })

  it.each([
    ['http://web/a?b', '/a?b', 'web'],
    ['HTTP://Web:80', '/', 'Web:80'],
    ['http://web?q', '/?q', 'web'],
  ])('%s becomes %s with Host %s', (uri, target, host) => {
    expect(normaliseTarget(uri, ['Accept', '*/*', 'host', 'other'])).toEqual({
      target,
      headers: ['Host', host, 'Accept', '*/*'],
    })
  })

  it.each(['*', 'https://web/', 'http://user@web/', 'web:80', 'http:///', ''])('%j is not forwarded', target => {
    expect(normaliseTarget(target, [])).toBeUndefined()
  })
})
