import { describe, expect, it } from 'vitest'
import { GoodMemory } from '../../../proxy-client/last-good/good-memory.ts'
import type { SavedEntry } from '../../../proxy-client/last-good/saved-state.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

const megabyte = 1024 * 1024

function setUp() {
  const clock = new FakeClock()
  const memory = new GoodMemory(clock, 1_000_000)
  const entry = (key: string, bytes = 10): SavedEntry => {
    return { kind: 'replicas', key, confirmedAt: clock.now(), content: new Uint8Array(bytes) }
  }
  return { clock, memory, entry }
}

describe('what is to be on disk', () => {
  it('is bounded in bytes and in number; what was put in first goes first', () => {
    const { memory, entry } = setUp()
    for (let i = 0; i < 40; i++) memory.put(entry(`large ${i}`, megabyte))
    expect(memory.size).toBe(31)
    expect([memory.saved('replicas', 'large 8'), memory.saved('replicas', 'large 9')?.key]).toEqual([
      undefined,
      'large 9',
    ])
    for (let i = 0; i < 12_000; i++) memory.put(entry(`small ${i}`))
    expect(memory.size).toBe(10_000)
    for (let i = 2_000; i < 12_000; i++) memory.answered('replicas', `small ${i}`)
    for (let i = 0; i < 40; i++) memory.put(entry(`large ${i}`, megabyte))
    expect(memory.size).toBe(31)
  })

  it('is made in slices: large entries come few at a time', async () => {
    const { clock, memory, entry } = setUp()
    let read = 0
    for (let i = 0; i < 20; i++)
      memory.open('replicas', `large ${i}`, () => {
        read++
        return entry(`large ${i}`, 64 * 1024)
      })
    const records = memory.records()
    const readByTurn: number[] = []
    for (let turn = 0; turn < 10; turn++) {
      readByTurn.push(read)
      clock.turn()
      await Promise.resolve()
    }
    expect(readByTurn).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
    expect((await records).size).toBe(20)
  })

  it('leaves out what has no room, and goes on with what has', async () => {
    const { clock, memory, entry } = setUp()
    const sizes = [20 * megabyte, 20 * megabyte, 100]
    for (const [i, bytes] of sizes.entries()) memory.open('replicas', String(i), () => entry(String(i), bytes))
    const pending = memory.records()
    for (let turn = 0; turn < 3; turn++) {
      clock.turn()
      await Promise.resolve()
    }
    const records = await pending
    expect([records.size, records.bytes > 20 * megabyte, records.bytes < 21 * megabyte]).toEqual([2, true, true])
  })
})
