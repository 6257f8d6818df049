import { describe, expect, it } from 'vitest'
import { parsePath } from '../../../naming/parse.ts'
import { createPrefixPattern, prefixText } from '../../../proxy-client/settings/prefix-pattern.ts'

function matches(pattern: string, path: string): boolean {
  const parsed = parsePath(path)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return createPrefixPattern(prefixText.parse(pattern))(parsed.value)
}

describe('a prefix of the configuration', () => {
  it.each([
    ['/', '/', true],
    ['/', '/a/b', true],
    ['/foo/bar', '/foo/bar', true],
    ['/foo/bar', '/foo/bar/bas', true],
    ['/foo/bar', '/foo/goo', false],
    ['/foo/bar', '/foo', false],
    ['/foo/bar', '/foo/barn', false],
    ['/foo/*/*', '/foo/hi/there', true],
    ['/foo/*/*', '/foo/hi', false],
    ['/foo/{A}', '/foo/bar/bas', true],
    ['/foo/{A}/bar', '/foo/bar/bad', false],
    ['/foo/{A}:http', '/foo/bas:http', true],
    ['/foo/{A}:http', '/foo/bas:grpc', false],
    ['/foo/{A}:http', '/foo/:http', false],
    ['/foo/{A}.com/{B}', '/foo/x.com/y', true],
    ['/foo/{A}.com', '/foo/xxcom', false],
    ['/foo/{A}-{B}', '/foo/a-b', true],
    ['/foo/{A}-{B}', '/foo/--b', true],
    ['/foo/{A}-{B}', '/foo/-b', false],
    ['/foo/{A}-{B}', '/foo/a-', false],
    ['/foo/{A}{B}', '/foo/ab', true],
    ['/foo/{A}{B}', '/foo/a', false],
    ['/foo/{A}{B}{C}', '/foo/ab', false],
    ['/foo/{A}.{B}.com', '/foo/a.b.c.com', true],
    ['/foo/{A}.{B}.com', '/foo/a.com', false],
    ['/foo/x{A}x', '/foo/xx', false],
    ['/foo/x{A}x', '/foo/xxx', true],
    ['/#/io.l5d.fs', '/#/io.l5d.fs/web', true],
    ['/$/inet/{host}/443', '/$/inet/example.com/443', true],
    ['/%/io.l5d.port/4141/', '/%/io.l5d.port/4141/#/io.l5d.fs/web', true],
    ['/#/io.l5d.fs', '/%/io.l5d.port/4141/#/io.l5d.fs/web', false],
    [String.raw`/svc/\x61\x20\x62`, String.raw`/svc/\x61\x20\x62`, true],
  ])('%s and %s: %s', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected)
  })

  it('matches long labels of strangers as quickly as short ones', () => {
    expect(matches('/svc/{a}.{b}.{c}.{d}.local', `/svc/${'.'.repeat(8_000)}`)).toBe(false)
  })

  it.each(['', 'svc', '/svc//web', '/a b', '/{', '/{}', '/a}', '/{a b}'])('is not %j', pattern => {
    expect(prefixText.safeParse(pattern).success).toBe(false)
  })
})
