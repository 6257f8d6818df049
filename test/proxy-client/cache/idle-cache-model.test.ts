import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IdleCache } from '../../../proxy-client/cache/idle-cache.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

const keys = Array.from({ length: 7 }, (_, i) => `key ${i}`)
const idleMs = 80
const sweepMs = idleMs / 8

const key = fc.constantFrom(...keys)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('force' as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('use' as const), key }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** What a cache must hold to, whatever it does: who holds an entry, when it was touched last, what became of it. */
class Checked {
  readonly clock = new FakeClock()
  readonly touchedAt = new Map<string, number>()
  readonly inUse = new Set<string>()
  readonly max: number
  readonly cache: IdleCache<string>
  isClosing = false
  isPassing = false

  constructor(max: number) {
    this.max = max
    this.cache = new IdleCache<string>({
      clock: this.clock,
      max,
      idleMs,
      isInUse: value => this.inUse.has(value),
      dispose: value => this.#disposed(value),
    })
  }

  run(next: Step): void {
    if (next.do === 'pass') this.#pass(next.ms)
    else if (next.do === 'use') this.#use(next.key)
    else if (next.do === 'release') this.inUse.delete(next.key)
    else if (this.#find(next.key) === undefined && next.do !== 'get') this.#make(next.key, next.do)
    this.#check()
  }

  #find(name: string): string | undefined {
    const found = this.cache.get(name)
    expect(found).toBe(this.touchedAt.has(name) ? name : undefined)
    if (found !== undefined) this.#touch(name)
    return found
  }

  #make(name: string, how: 'add' | 'force'): void {
    const before = this.cache.size
    const made = this.cache[how](name, () => name)
    if (made === undefined) expect(how === 'add' && this.inUse.size > 0).toBe(true)
    else this.#touch(name)
    if (how === 'add') expect(this.cache.size).toBeLessThanOrEqual(Math.max(before, this.max))
    else expect(this.cache.size).toBeLessThanOrEqual(Math.max(this.max, this.inUse.size + 1))
  }

  #use(name: string): void {
    if (this.touchedAt.has(name)) this.inUse.add(name)
  }

  #pass(ms: number): void {
    this.isPassing = true
    this.clock.advance(ms)
    this.isPassing = false
    if (ms >= sweepMs) expect(this.cache.size - this.inUse.size).toBeLessThanOrEqual(this.max)
    for (const [name, at] of this.touchedAt)
      if (!this.inUse.has(name)) expect(this.clock.now() - at).toBeLessThan(idleMs + 2 * sweepMs)
  }

  #touch(name: string): void {
    this.touchedAt.set(name, this.clock.now())
  }

  #disposed(name: string): void {
    expect(this.touchedAt.has(name)).toBe(true)
    if (!this.isClosing) expect(this.inUse.has(name)).toBe(false)
    if (this.isPassing && this.cache.size < this.max) {
      const untouchedMs = this.clock.now() - (this.touchedAt.get(name) ?? 0)
      // What was in use counts as touched when that was looked at last.
      expect(untouchedMs).toBeGreaterThanOrEqual(idleMs - sweepMs)
    }
    this.touchedAt.delete(name)
  }

  #check(): void {
    for (const name of this.inUse) this.touchedAt.set(name, this.clock.now())
    expect([...this.cache.values()].toSorted()).toEqual([...this.touchedAt.keys()].toSorted())
    expect(this.clock.waiting).toBe(this.cache.size === 0 ? 0 : 1)
    expect(this.cache.added - this.cache.evicted - this.cache.expired).toBe(this.cache.size)
  }

  close(): void {
    this.isClosing = true
    this.cache.close()
    expect([this.touchedAt.size, this.clock.waiting]).toEqual([0, 0])
  }
}

it('whatever is asked of it, an idle cache drops no entry in use, keeps to its cap and its idle time, and leaves no timer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 120 }), (max, steps) => {
      const checked = new Checked(max)
      for (const next of steps) checked.run(next)
      checked.close()
    }),
    { seed: 7, numRuns: 300 },
  )
})
