// Work by key: one at a time for each, a few at once, again after a failure, and gently while all fail.
import { describe, expect, it } from 'vitest'
import { KeyedWork, type KeyedWorkOptions } from '../../storage/keyed-work.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { realTurn } from './store.fixture.ts'

interface Rig {
  readonly clock: FakeClock
  readonly work: KeyedWork
  readonly begun: string[]
  /** Ends the oldest run that goes on. */
  end(error?: Error): Promise<void>
}

function open(options: Partial<KeyedWorkOptions> = {}): Rig {
  const clock = new FakeClock()
  const begun: string[] = []
  const ends: ((error?: Error) => void)[] = []
  const run = (key: string): Promise<void> => {
    begun.push(key)
    return new Promise((resolve, reject) => void ends.push(error => (error === undefined ? resolve() : reject(error))))
  }
  const base = { clock, random: () => 0, atOnce: 2, run, isOfAll: () => false, failed: () => {} }
  const end = async (error?: Error): Promise<void> => {
    ends.shift()?.(error)
    await realTurn()
  }
  return { clock, begun, end, work: new KeyedWork({ ...base, ...options }) }
}

describe('work by key', () => {
  it('runs once however often it is asked for before it begins, and once more when it is asked for while it runs', async () => {
    const { work, begun, end } = open({ atOnce: 1 })
    work.ask('other')
    for (let i = 0; i < 3; i++) work.ask('web')
    await end()
    expect(begun).toEqual(['other', 'web'])
    for (let i = 0; i < 3; i++) work.ask('web')
    await end()
    await end()
    expect(begun).toEqual(['other', 'web', 'web'])
    expect(work.size).toBe(0)
  })

  it('runs no more keys at once than it may, in the order they were asked for', async () => {
    const { work, begun, end } = open()
    for (const key of ['a', 'b', 'c', 'd']) work.ask(key)
    expect(begun).toEqual(['a', 'b'])
    await end()
    expect(begun).toEqual(['a', 'b', 'c'])
    await end()
    expect(begun).toEqual(['a', 'b', 'c', 'd'])
  })

  it('tries a failed key again after a while, longer each time, and at once when it is asked for', async () => {
    const waits: number[] = []
    const rig = open({ random: () => 1, failed: (_, __, retryAt) => void waits.push(retryAt - rig.clock.now()) })
    const { work, clock, begun, end } = rig
    work.ask('web')
    for (let i = 0; i < 7; i++) {
      await end(new Error('no'))
      clock.advance(10_000)
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    await end(new Error('no'))
    work.ask('web')
    expect(begun).toHaveLength(9)
  })

  it('forgets a key that is dropped, while it runs and while it rests', async () => {
    const { work, clock, begun, end } = open()
    for (const key of ['running', 'resting']) work.ask(key)
    work.drop('running')
    await end(new Error('no'))
    await end(new Error('no'))
    work.drop('resting')
    clock.advance(60_000)
    expect(begun).toHaveLength(2)
    expect(clock.waiting).toBe(0)
  })

  it('tries one key at a time, spaced out, while all fail, and all of them once one succeeds', async () => {
    const { work, clock, begun, end } = open({ atOnce: 4, isOfAll: () => true })
    const keys = Array.from({ length: 10 }, (_, i) => `k${i}`)
    for (const key of keys) work.ask(key)
    for (let i = 0; i < 4; i++) await end(new Error('away'))
    expect(begun).toHaveLength(4)
    clock.advance(250)
    expect(begun).toHaveLength(5)
    clock.advance(1_000)
    expect(begun).toHaveLength(5)
    await end(new Error('away'))
    clock.advance(250)
    expect(begun).toHaveLength(6)
    await end()
    expect(begun).toHaveLength(10)
  })

  it('leaves nothing behind when it is stopped, and takes no more', async () => {
    const { work, clock, begun, end } = open({ isOfAll: () => true })
    for (const key of ['a', 'b', 'c']) work.ask(key)
    await end(new Error('away'))
    work.stop()
    work.ask('d')
    await end(new Error('away'))
    expect(clock.waiting).toBe(0)
    expect(work.size).toBe(0)
    expect(begun).toEqual(['a', 'b'])
  })
})
