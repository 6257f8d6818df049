// The kind `io.l5d.rewrite`: its configuration, and the laws that it shares with other namers.
import { describe, expect, it } from 'vitest'
import { createRewriteNamer, rewrite, rewritePath } from '../../../interpreters/rewrite/index.ts'
import { createPathMatcher } from '../../../interpreters/rewrite/path-matcher.ts'
import { showPath } from '../../../naming/path.ts'
import { createWorld, pathOf, recorded } from '../world.fixture.ts'

function rewritten(pattern: string, name: string, path: string): string | undefined {
  const result = rewritePath(createPathMatcher(pattern), name, pathOf(path))
  return result && showPath(result)
}

describe('a rewriting', () => {
  it.each([
    ['/{a}-x', '/{a}', '/1-x-2-x-3', '/1-x-2'],
    ['/a{x}b{y}c', '/{x}/{y}', '/zza1b2b3c4c5', '/1b2/3c4'],
    ['/{a}{b}', '/{a}', '/xyz', '/xyz'],
    ['/{a}.{b}', '/{b}', '/.x', '/x'],
    ['//x//{a}', '/{a}', '/x/y', undefined],
    ['/x/{a}/', '/{a}', '/x/y/z', '/y'],
  ])('by %s to %s makes of %s: %s', (pattern, name, path, expected) => {
    expect(rewritten(pattern, name, path)).toBe(expected)
  })

  it('takes time in proportion to the label, whatever the pattern', () => {
    const label = 'a'.repeat(100_000)
    expect(createPathMatcher('/{a}a{b}a{c}a{d}x').match([label])).toBeUndefined()
  })

  it('that gives no path fails that name alone', () => {
    const world = createWorld(kernel => [
      createRewriteNamer({ prefix: ['#', 'rw'], pattern: '/{a}', name: '/{unknown}' }, kernel),
    ])
    expect(recorded(world.bind('/a', '/a => /#/rw/x & /$/inet/80'))).toEqual(['/$/inet/80'])
    expect(recorded(world.bind('/#/rw/x'))[0]).toMatch(/^failed: /)
  })
})

describe('the configuration of io.l5d.rewrite', () => {
  it('puts /# before the prefix', () => {
    const config = rewrite.config.parse({ prefix: '/byHost', pattern: '/{a}', name: '/{a}' })
    expect(config.prefix).toEqual(['#', 'byHost'])
    expect(rewrite.config.parse({ pattern: '/{a}', name: '/{a}' }).prefix).toEqual(['#', 'io.l5d.rewrite'])
  })

  it.each([
    [{ name: '/x' }, /pattern/],
    [{ pattern: '/x' }, /name/],
    [{ pattern: '/x', name: 'x' }, /begins with/],
    [{ pattern: '/x', name: '/y', prefix: '/' }, /at least one label/],
    [{ pattern: '/x', name: '/y', prefix: 'x' }, /'\/' expected/],
    [{ pattern: '/x', name: '/y', transformers: [] }, /transformers are not supported yet/],
    [{ pattern: '/x', name: '/y', nmae: 1 }, /nmae/],
  ])('refuses %j', (config, reason) => {
    const parsed = rewrite.config.safeParse(config)
    expect(parsed.success ? '' : parsed.error.message).toMatch(reason)
  })
})
