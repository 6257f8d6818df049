import { describe, expect, it } from 'vitest'
import { normaliseTarget } from '../../../proxy-client/exchange/request-target.ts'

describe('a request target', () => {
  it.each([
    ['GET', '/a?b=http://c', '/a?b=http://c', undefined],
    ['OPTIONS', '*', '*', undefined],
    ['GET', 'http://web/a?b', '/a?b', 'web'],
    ['GET', 'HTTP://Web:80', '/', 'Web:80'],
    ['GET', 'http://web?q', '/?q', 'web'],
    ['GET', 'http://[::1]:8080/x@y', '/x@y', '[::1]:8080'],
    ['OPTIONS', 'http://web', '*', 'web'],
    ['OPTIONS', 'http://web/', '/', 'web'],
    ['CONNECT', 'web:443', 'web:443', 'web:443'],
    ['CONNECT', '[::1]:443', '[::1]:443', '[::1]:443'],
  ])('%s %s is %s, with %s for Host', (method, target, origin, authority) => {
    expect(normaliseTarget(method, target)).toEqual({ target: origin, authority })
  })

  it.each([
    ['GET', '*'],
    ['GET', 'https://web/'],
    ['GET', 'http://user@web/'],
    ['GET', 'http://user:secret@web/'],
    ['GET', 'web:80'],
    ['GET', 'http:///'],
    ['GET', ''],
    ['CONNECT', '/'],
    ['CONNECT', 'web'],
    ['CONNECT', 'user@web:443'],
    ['CONNECT', 'http://web:443/'],
  ])('is not forwarded: %s %j', (method, target) => {
    expect(normaliseTarget(method, target)).toBeUndefined()
  })
})
