import { describe, expect, it } from 'vitest'
import { asking } from './identify.fixture.ts'

const path = (config: object, target: string): string => asking({ kind: 'io.l5d.path', ...config })({ target })

describe('io.l5d.path', () => {
  it.each([
    ['/users', '/svc/users'],
    ['/users/', '/svc/users'],
    ['/users/1?x=/y', '/svc/users'],
    ['/users?x=/y', '/svc/users'],
    ['/%75sers/1', '/svc/%75sers'],
  ])('names %s by its first segment, as it stands', (target, name) => {
    expect(path({}, target)).toBe(name)
  })

  it('takes as many segments as it is told', () => {
    expect(path({ segments: 2 }, '/users/v2/1')).toBe('/svc/users/v2')
    expect(path({ segments: 2 }, '/users/v2')).toBe('/svc/users/v2')
  })

  it.each([
    [1, '/'],
    [1, '/?a/b'],
    [1, '*'],
    [1, 'web:80'],
    [2, '/users'],
    [2, '/users/'],
    [2, '/users?/v2'],
  ])('does not identify with %d segments %s, which has fewer', (segments, target) => {
    expect(path({ segments }, target)).toBe(`400 the request's path has fewer than ${segments} segments`)
  })

  it('does not identify by an empty segment', () => {
    expect(path({}, '//users')).toBe("400 one of the first 1 segments of the request's path is empty")
    expect(path({ segments: 3 }, '/a//b')).toBe("400 one of the first 3 segments of the request's path is empty")
  })

  it.each([
    [1, '/users', '/'],
    [1, '/users/', '/'],
    [1, '/users?x=1', '/?x=1'],
    [1, '/users/1/2?x=/y', '/1/2?x=/y'],
    [2, '/users/v2/1', '/1'],
    [2, '/users/v2?x', '/?x'],
  ])('forwards what is left when it consumes %d segments of %s', (segments, target, left) => {
    expect(path({ segments, consume: true }, target)).toMatch(new RegExp(`, forwards ${RegExp.escape(left)}$`))
  })
})
