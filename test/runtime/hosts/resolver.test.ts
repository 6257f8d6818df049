// The parts of DNS resolution that need no DNS: search domains and the order of candidates; and the hosts file's text.
import { describe, expect, it } from 'vitest'
import { parseHosts } from '../../../runtime/hosts/hosts-file.ts'
import { askBoth, candidatesOf, type DnsQuestions, parseSearchRules } from '../../../runtime/hosts/resolver.ts'

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

describe('a question to DNS', () => {
  const coded = (code: string): Error => Object.assign(new Error(code), { code })

  /** Answers of both families: records, or the code of a failure. */
  function ask(four: string[] | string, six: string[] | string) {
    const answer = (given: string[] | string, ttl: number) =>
      typeof given === 'string'
        ? Promise.reject(coded(given))
        : Promise.resolve(given.map(address => ({ address, ttl })))
    // The overload with times to live is the only one that is used.
    const questions = { resolve4: () => answer(four, 30), resolve6: () => answer(six, 20) } as unknown as DnsQuestions
    return askBoth(questions, 'web')
  }

  it('has the addresses of both families for the shorter time', async () => {
    expect(await ask(['10.0.0.1'], ['fd00::1'])).toEqual({ addresses: ['10.0.0.1', 'fd00::1'], ttlSeconds: 20 })
    expect(await ask(['10.0.0.1'], 'ENODATA')).toEqual({ addresses: ['10.0.0.1'], ttlSeconds: 30 })
  })

  it('says which family did not answer', async () => {
    expect(await ask(['10.0.0.1'], 'ETIMEOUT')).toMatchObject({ addresses: ['10.0.0.1'], unanswered: 6 })
    expect(await ask('ESERVFAIL', ['fd00::1'])).toMatchObject({ addresses: ['fd00::1'], unanswered: 4 })
  })

  it.each([
    ['ETIMEOUT', 'ETIMEOUT'],
    ['ENOTFOUND', 'ESERVFAIL'],
    ['ECONNREFUSED', 'ENODATA'],
  ])('never takes a failure (%s, %s) for a host that is not there', async (four, six) => {
    await expect(ask(four, six)).rejects.toMatchObject({ code: 'namer-unavailable' })
  })

  it('has no addresses when both families say that there are none', async () => {
    expect(await ask('ENOTFOUND', 'ENODATA')).toEqual({ addresses: [], ttlSeconds: 0 })
  })
})
