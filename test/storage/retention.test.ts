import { afterEach, describe, expect, it } from 'vitest'
import { NamingError } from '../../naming/errors.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import { createHistorySweeper, type HistorySweeper } from '../../storage/retention.ts'
import type { RetentionRule } from '../../storage/retention-rule.ts'
import type { Store } from '../../storage/store.ts'
import { request } from '../contract/store.contract.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { realTurn, testEnv } from './store.fixture.ts'

const minute = 60_000
const hour = 60 * minute

/** A store that counts the looks and drops, and the sweepers on it. */
class World {
  readonly clock = new FakeClock()
  readonly env = testEnv(this.clock)
  readonly inner = createMemoryStore(this.env)
  readonly looks: string[] = []
  readonly drops: (readonly number[])[] = []
  failure: NamingError | undefined
  /** Of this namespace nothing can be read. */
  failing: string | undefined
  readonly #sweepers: HistorySweeper[] = []
  readonly store: Store = new Proxy(this.inner, {
    get: (target, name: keyof Store) => {
      if (name === 'history') return this.#history
      if (name === 'forget') return this.#forget
      const member: unknown = target[name]
      return typeof member === 'function' ? member.bind(target) : member
    },
  })

  readonly #history: Store['history'] = async (namespace, query) => {
    if (this.failure !== undefined) throw this.failure
    if (this.failing === namespace) throw new NamingError('store-corrupt', 'torn')
    this.looks.push(namespace)
    return this.inner.history(namespace, query)
  }

  readonly #forget: Store['forget'] = async (namespace, versions) => {
    this.drops.push(versions)
    await this.inner.forget(namespace, versions)
  }

  sweep(rule: RetentionRule): HistorySweeper {
    const sweeper = createHistorySweeper({ ...this.env, store: this.store, rule })
    this.#sweepers.push(sweeper)
    return sweeper
  }

  async write(namespace: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.inner.write(request(namespace, `/a => /b${i}`))
  }

  async numbers(namespace: string): Promise<number[]> {
    return (await this.inner.history(namespace, { limit: 10_000 })).map(({ version }) => version)
  }

  /** In steps as long as the shortest wait, so that calls of the store come back between two waits. */
  async pass(ms: number, stepMs = 5_000): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      await realTurn()
    }
  }

  async close(): Promise<void> {
    for (const sweeper of this.#sweepers) await sweeper.close()
    await this.inner.close()
    this.env.kernel.close()
  }
}

let world: World

afterEach(() => world.close())

describe('the sweeper of old versions', () => {
  it('drops what is beyond the newest so many, and counts it', async () => {
    world = new World()
    await world.write('a', 12)
    await world.write('b', 3)
    world.sweep({ maxVersions: 5 })
    await world.pass(2 * minute)
    expect(await world.numbers('a')).toEqual([12, 11, 10, 9, 8])
    expect(await world.numbers('b')).toEqual([3, 2, 1])
    expect((await world.env.metrics.expose()).body).toContain('nameplane_versions_forgotten_total 7')
  })

  it('looks only at namespaces that can have too many, and again only after so many writes', async () => {
    world = new World()
    await world.write('a', 12)
    await world.write('b', 3)
    world.sweep({ maxVersions: 5 })
    await world.pass(5 * minute)
    expect(world.looks).toEqual(['a'])
    await world.write('b', 2)
    await world.pass(5 * minute)
    expect(world.looks).toEqual(['a'])
    await world.write('b', 1)
    await world.pass(5 * minute)
    expect(world.looks).toEqual(['a', 'b'])
    expect(await world.numbers('b')).toEqual([6, 5, 4, 3, 2])
  })

  it('asks for no lease while there is nothing to drop', async () => {
    world = new World()
    await world.write('a', 3)
    world.sweep({ maxVersions: 5 })
    await world.pass(5 * minute)
    const lease = await world.inner.lease('history', 10_000)
    expect(lease).toBeDefined()
    await lease?.release()
  })

  it('goes through a long history page by page, a drop for each page', async () => {
    world = new World()
    await world.write('a', 350)
    world.sweep({ maxVersions: 20 })
    await world.pass(2 * minute)
    expect(await world.numbers('a')).toHaveLength(20)
    expect(world.drops.map(({ length }) => length)).toEqual([80, 100, 100, 50])
  })

  it('makes at most 600 calls of the store a minute', async () => {
    world = new World()
    for (let i = 0; i < 700; i++) await world.write(`ns${i}`, 2)
    world.sweep({ maxVersions: 1 })
    await world.pass(minute, 25)
    expect(world.looks.length + world.drops.length).toBeGreaterThan(50)
    const before = world.looks.length + world.drops.length
    await world.pass(minute, 25)
    expect(world.looks.length + world.drops.length - before).toBeLessThanOrEqual(601)
  })

  it('drops by age once an hour', async () => {
    world = new World()
    await world.write('a', 3)
    world.sweep({ maxAgeMs: 2 * hour })
    await world.pass(110 * minute, minute)
    expect(await world.numbers('a')).toEqual([3, 2, 1])
    expect(world.looks).toEqual(['a'])
    await world.pass(30 * minute, minute)
    expect(await world.numbers('a')).toEqual([3])
    expect(world.looks).toEqual(['a', 'a'])
  })

  it('works on one of several servers, and on another one once that has gone', async () => {
    world = new World()
    await world.write('a', 9)
    const first = world.sweep({ maxVersions: 5 })
    await world.pass(2 * minute)
    world.sweep({ maxVersions: 5 })
    await world.write('a', 2)
    await world.pass(5 * minute)
    expect(world.drops).toEqual([
      [4, 3, 2, 1],
      [6, 5],
    ])
    await first.close()
    await world.write('a', 1)
    await world.pass(5 * minute)
    expect(world.drops.at(-1)).toEqual([7])
    expect(await world.numbers('a')).toEqual([12, 11, 10, 9, 8])
  })

  it('goes on once the store answers again', async () => {
    world = new World()
    await world.write('a', 9)
    world.failure = new NamingError('store-unavailable', 'away')
    world.sweep({ maxVersions: 5 })
    await world.pass(5 * minute)
    expect(world.drops).toEqual([])
    world.failure = undefined
    await world.pass(5 * minute)
    expect(await world.numbers('a')).toEqual([9, 8, 7, 6, 5])
  })

  it('passes over a namespace that cannot be swept, and tries it again later', async () => {
    world = new World()
    for (const name of ['a', 'b']) await world.write(name, 9)
    world.failing = 'a'
    world.sweep({ maxVersions: 5 })
    await world.pass(5 * minute)
    expect(await world.numbers('a')).toHaveLength(9)
    expect(await world.numbers('b')).toHaveLength(5)
    world.failing = undefined
    await world.pass(15 * minute)
    expect(await world.numbers('a')).toHaveLength(5)
  })

  it('drops nothing by age because the clock was set forward, and goes on once it is right again', async () => {
    world = new World()
    await world.write('a', 3)
    world.sweep({ maxAgeMs: 24 * hour })
    const { now } = world.clock
    world.clock.now = () => now() + 365 * 24 * hour
    await world.pass(3 * hour, minute)
    expect(world.drops).toEqual([])
    world.clock.now = now
    await world.pass(24 * hour, minute)
    expect(await world.numbers('a')).toEqual([3])
  })

  it('does nothing at all without a limit, and leaves no timer behind', async () => {
    world = new World()
    const { waiting } = world.clock
    world.sweep({})
    expect(world.clock.waiting).toBe(waiting)
    const sweeper = world.sweep({ maxVersions: 1 })
    await sweeper.close()
    await world.pass(minute)
    expect(world.clock.waiting).toBe(waiting)
  })
})
