// The parts of DNS resolution that need no DNS: search domains and the order of candidates; and the hosts file's text.
import { describe, expect, it } from 'vitest'
import { parseHosts } from '../../../interpreters/inet/hosts-file.ts'
import { candidatesOf, parseSearchRules } from '../../../interpreters/inet/resolver.ts'

describe('search rules', () => {
  it('are read from resolv.conf, the last line of a kind winning', () => {
    const text =
      'nameserver 10.0.0.1\nsearch old.example\nsearch ns.svc.cluster.local svc.cluster.local .\noptions edns0 ndots:5\n'
    expect(parseSearchRules(text)).toEqual({ domains: ['ns.svc.cluster.local', 'svc.cluster.local'], ndots: 5 })
    expect(parseSearchRules('')).toEqual({ domains: [], ndots: 1 })
  })

  it.each([
    ['web', ['web.a.test', 'web.b.test', 'web']],
    ['web.x', ['web.x.a.test', 'web.x.b.test', 'web.x']],
    ['web.x.y', ['web.x.y', 'web.x.y.a.test', 'web.x.y.b.test']],
    ['web.', ['web']],
  ])('try %s as %j', (host, candidates) => {
    expect(candidatesOf(host, { domains: ['a.test', 'b.test'], ndots: 2 })).toEqual(candidates)
  })
})

describe('a hosts file', () => {
  it('maps every name of a line to its address, in lower case, and passes over what is none', () => {
    const hosts = parseHosts('# first\n127.0.0.1 localhost  Me # me\n::1\tlocalhost\n10.0.0.1\nbad line\n')
    expect([...hosts]).toEqual([
      ['localhost', ['127.0.0.1', '::1']],
      ['me', ['127.0.0.1']],
    ])
  })
})
