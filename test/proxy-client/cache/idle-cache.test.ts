import { describe, expect, it } from 'vitest'
import { IdleCache } from '../../../proxy-client/cache/idle-cache.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

function setUp(max = 2, idleMs = 80) {
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
    expect(cache.refused).toBe(1)
    expect(cache.force('c', () => 'c')).toBe('c')
    expect(cache.size).toBe(3)
    inUse.clear()
    add('d')
    expect(disposed).toEqual(['a', 'b'])
  })

  it('comes back to its cap soon after entries that were in use have become free', () => {
    const { cache, inUse, clock } = setUp()
    for (let i = 0; i < 10; i++) {
      inUse.add(`${i}`)
      cache.force(`${i}`, () => `${i}`)
    }
    inUse.clear()
    clock.advance(10)
    expect(cache.size).toBe(2)
  })

  it('keeps what is asked for again through a flood of names that come once', () => {
    const { cache, add } = setUp(100)
    const regulars = Array.from({ length: 80 }, (_, i) => `regular ${i}`)
    for (const key of regulars) {
      add(key)
      cache.get(key)
    }
    let refused = 0
    for (let i = 0; i < 65_000; i++) if (add(`once ${i}`) === undefined) refused++
    expect(refused).toBe(0)
    expect(cache.size).toBe(100)
    for (const key of regulars) expect(cache.get(key)).toBe(key)
  })

  it('keeps regulars while newcomers in use fill what is left to them', () => {
    const { cache, add, inUse, disposed } = setUp(10)
    for (let i = 0; i < 8; i++) {
      add(`regular ${i}`)
      cache.get(`regular ${i}`)
    }
    const waiting = Array.from({ length: 5 }, (_, i) => `waits ${i}`)
    for (const key of waiting) inUse.add(key)
    expect(waiting.filter(key => add(key) !== undefined)).toHaveLength(2)
    expect(disposed).toEqual([])
  })

  it('lets regulars go that are not asked for any more when others are', () => {
    const { cache, add } = setUp(10)
    for (const wave of ['old', 'new']) {
      for (let i = 0; i < 30; i++) {
        add(`${wave} ${i}`)
        cache.get(`${wave} ${i}`)
      }
    }
    expect([...cache.values()].filter(key => key.startsWith('old'))).toEqual([])
  })

  it('drops what nobody touched for the idle time, at the latest an eighth of it later', () => {
    const { cache, add, clock, disposed } = setUp()
    add('a')
    add('b')
    clock.advance(45)
    cache.get('a')
    clock.advance(35)
    expect(disposed).toEqual(['b'])
    clock.advance(44)
    expect(disposed).toEqual(['b'])
    clock.advance(11)
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
    clock.advance(90)
    expect(disposed).toEqual(['a'])
  })

  it('looks at no clock and moves nothing for a hit', () => {
    const { cache, add, clock } = setUp()
    add('a')
    let reads = 0
    const { monotonic } = clock
    clock.monotonic = () => {
      reads++
      return monotonic.call(clock)
    }
    for (let i = 0; i < 100; i++) expect(cache.get('a')).toBe('a')
    expect(reads).toBe(0)
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
