import { describe, expect, it } from 'vitest'
import { identifierConfig } from '../../../proxy-client/identifier/identifier-config.ts'
import { asking } from './identify.fixture.ts'

describe('the identifiers of a router', () => {
  it('are io.l5d.header.token without a word', () => {
    expect(asking(undefined)({ fields: [['Host', 'web']] })).toBe('/svc/web')
  })

  it('give every request one name with io.l5d.static', () => {
    expect(asking({ kind: 'io.l5d.static', path: '/all/of/them' })({ target: '/x' })).toBe('/svc/all/of/them')
  })

  it('are tried in order, and the first that names the request counts', () => {
    const ask = asking([
      { kind: 'io.l5d.header' },
      { kind: 'io.l5d.path', segments: 2 },
      { kind: 'io.l5d.header.token' },
    ])
    const host = ['Host', 'web'] as const
    expect(ask({ target: '/a/b', fields: [host, ['l5d-name', '/named']] })).toBe('/svc/named')
    expect(ask({ target: '/a/b', fields: [host] })).toBe('/svc/a/b')
    expect(ask({ target: '/a', fields: [host] })).toBe('/svc/web')
  })

  it('say of each why it did not when none does', () => {
    const ask = asking([{ kind: 'io.l5d.header' }, { kind: 'io.l5d.path' }])
    expect(ask({})).toBe(
      "400 no identifier names the request: io.l5d.header: the request has no l5d-name header; io.l5d.path: the request's path has fewer than 1 segments",
    )
  })

  it.each([
    [{ kind: 'io.l5d.ingress' }, 'kind: io.l5d.ingress is not supported: let rules of the dtab lead each host'],
    [{ kind: 'x' }, 'kind: unknown kind "x"; known kinds: io.l5d.header, io.l5d.header.token, '],
    [{}, 'kind: required; known kinds: '],
    [[], ': Too small'],
    [[{ kind: 'io.l5d.path', segments: 0 }], '0.segments: Too small'],
    [{ kind: 'io.l5d.path', consumes: true }, 'consumes: unknown key; known keys: consume, kind, segments'],
    [{ kind: 'io.l5d.static', path: 'x' }, 'path: '],
    [{ kind: 'io.l5d.header.token', header: 'a b' }, 'header: not a header name'],
  ])('refuse %j', (config, problem) => {
    const issues = identifierConfig.safeParse(config).error?.issues ?? []
    expect(issues.map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
      expect.stringContaining(problem),
    ])
  })
})
