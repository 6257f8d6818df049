import { describe, expect, it } from 'vitest'
import { type BackoffSchedule, createBackoff } from '../../../proxy-client/retry/backoff.ts'
import { seededRandom } from '../seeded-random.fixture.ts'

const least = (): number => 0
const most = (): number => 1 - 2 ** -32

function waits(schedule: BackoffSchedule, random: () => number, count: number): readonly number[] {
  const backoff = createBackoff(schedule, random)
  return Array.from({ length: count }, () => Math.round(backoff.next()))
}

describe('a back-off', () => {
  it('waits the same time each time when it is constant', () => {
    expect(waits({ kind: 'constant', ms: 7 }, most, 3)).toEqual([7, 7, 7])
  })

  it('waits up to three times the last wait when it is jittered, within its limits', () => {
    const schedule = { kind: 'jittered', minMs: 10, maxMs: 500 } as const
    expect(waits(schedule, most, 5)).toEqual([30, 90, 270, 500, 500])
    expect(waits(schedule, least, 5)).toEqual([10, 10, 10, 10, 10])
    for (const ms of waits(schedule, seededRandom(1), 1_000)) {
      expect(ms).toBeGreaterThanOrEqual(10)
      expect(ms).toBeLessThanOrEqual(500)
    }
  })

  it('doubles when half of it is by chance, and stays different for each at its limit', () => {
    const schedule = { kind: 'equalJittered', minMs: 5_000, maxMs: 300_000 } as const
    expect(waits(schedule, least, 8)).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 150_000, 150_000, 150_000])
    expect(waits(schedule, most, 8)).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
  })

  it.each([
    { kind: 'jittered', minMs: 10, maxMs: 500 },
    { kind: 'equalJittered', minMs: 10, maxMs: 500 },
  ] as const)('begins anew when it is reset: $kind', schedule => {
    const backoff = createBackoff(schedule, most)
    const first = backoff.next()
    backoff.next()
    backoff.reset()
    expect(backoff.next()).toBe(first)
  })
})
