import { describe, expect, it } from 'vitest'
import { IdleCache } from '../../../proxy-client/cache/idle-cache.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

function setUp(max = 2, idleMs = 100) {
  const clock = new FakeClock()
  const inUse = new Set<string>()
  const disposed: string[] = []
  const cache = new IdleCache<string>({
    clock,
    max,
    idleMs,
    isInUse: value => inUse.has(value),
    dispose: value => disposed.push(value),
  })
  const add = (key: string): string | undefined => cache.add(key, () => key)
  return { clock, inUse, disposed, cache, add }
}

describe('an idle cache', () => {
  it('drops the least recently used entry at the cap', () => {
    const { cache, add, disposed } = setUp()
    add('a')
    add('b')
    cache.get('a')
    add('c')
    expect(disposed).toEqual(['b'])
    expect([...cache.values()]).toEqual(['a', 'c'])
    expect(cache.evicted).toBe(1)
  })

  it('never drops an entry in use, and refuses a new one when all are', () => {
    const { cache, add, disposed, inUse } = setUp()
    for (const key of ['a', 'b']) {
      add(key)
      inUse.add(key)
    }
    expect(add('c')).toBeUndefined()
    expect(cache.force('c', () => 'c')).toBe('c')
    expect(cache.size).toBe(3)
    inUse.clear()
    add('d')
    expect(disposed).toEqual(['a', 'b'])
  })

  it('drops what nobody touched for the idle time, and only that', () => {
    const { cache, add, clock, disposed } = setUp()
    add('a')
    add('b')
    clock.advance(60)
    cache.get('a')
    clock.advance(60)
    expect(disposed).toEqual(['b'])
    clock.advance(40)
    expect(disposed).toEqual(['b', 'a'])
    expect(cache.expired).toBe(2)
  })

  it('keeps an idle entry that is in use, and drops it one idle time after', () => {
    const { add, clock, disposed, inUse } = setUp()
    add('a')
    inUse.add('a')
    clock.advance(250)
    expect(disposed).toEqual([])
    inUse.clear()
    clock.advance(100)
    expect(disposed).toEqual(['a'])
  })

  it('holds no timer once it is empty or closed', () => {
    const { cache, add, clock, disposed } = setUp()
    add('a')
    clock.advance(100)
    expect(clock.waiting).toBe(0)
    add('b')
    cache.close()
    expect(clock.waiting).toBe(0)
    expect(disposed).toEqual(['a', 'b'])
  })
})
