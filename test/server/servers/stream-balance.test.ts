import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { portionOf, StreamBalance, surplusOf } from '../../../server/servers/stream-balance.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { seededRandom } from '../../proxy-client/seeded-random.fixture.ts'

const counts = fc.array(fc.nat({ max: 20_000 }), { minLength: 1, maxLength: 8 })
const seed = { seed: 7, numRuns: 300 }

function othersOf(servers: readonly number[], self: number): readonly number[] {
  return servers.filter((_, index) => index !== self)
}

function surpluses(servers: readonly number[]): readonly number[] {
  return servers.map((open, self) => surplusOf({ open, leaving: 0 }, othersOf(servers, self)))
}

/** Each server lets a portion of its surplus go, to any of the others; gives the rounds until none moves. */
function settle(initial: readonly number[], random: () => number): { rounds: number; servers: readonly number[] } {
  const servers = [...initial]
  for (let rounds = 0; ; rounds++) {
    const portions = surpluses(servers).map((surplus, self) =>
      surplus > 0 ? portionOf(surplus, servers[self] ?? 0) : 0,
    )
    if (portions.every(portion => portion === 0)) return { rounds, servers }
    for (const [self, portion] of portions.entries())
      for (let i = 0; i < portion; i++) {
        const target = (self + 1 + Math.floor(random() * (servers.length - 1))) % servers.length
        servers[self] = (servers[self] ?? 0) - 1
        servers[target] = (servers[target] ?? 0) + 1
      }
  }
}

describe('the surplus of a server', () => {
  test('is nothing while it is alone, while all are about even, and in small fleets', () => {
    expect(surplusOf({ open: 10_000, leaving: 0 }, [])).toBe(0)
    expect(surpluses([1_000, 1_050, 1_150])).toEqual([0, 0, 0])
    expect(surpluses([8, 0])).toEqual([0, 0])
    expect(surpluses([2, 1, 0])).toEqual([0, 0, 0])
  })

  test('is what it has above the mean, without those that are to go already', () => {
    expect(surpluses([9_000, 0, 0])).toEqual([6_000, 0, 0])
    expect(surplusOf({ open: 9_000, leaving: 2_000 }, [0, 0])).toBe(4_000)
    expect(surplusOf({ open: 9_000, leaving: 6_000 }, [0, 0])).toBe(0)
  })

  test('leaves no server below the mean, and all of them together fit where room is', () => {
    fc.assert(
      fc.property(counts, servers => {
        const mean = servers.reduce((sum, count) => sum + count, 0) / servers.length
        const room = servers.reduce((sum, count) => sum + Math.max(0, mean - count), 0)
        const found = surpluses(servers)
        expect(found.every((surplus, self) => surplus === 0 || (servers[self] ?? 0) - surplus >= mean)).toBe(true)
        expect(found.reduce((sum, surplus) => sum + surplus, 0)).toBeLessThanOrEqual(room + 1e-6)
      }),
      seed,
    )
  })

  test('is somewhere while one has 1.3 times what another has, in any fleet that is not small', () => {
    fc.assert(
      fc.property(counts, servers => {
        const [most, fewest] = [Math.max(...servers), Math.min(...servers)]
        const mean = servers.reduce((sum, count) => sum + count, 0) / servers.length
        fc.pre(most > 1.3 * fewest && most - mean >= 5)
        expect(surpluses(servers).some(surplus => surplus > 0)).toBe(true)
      }),
      seed,
    )
  })

  test('comes to rest, within five minutes and for good, wherever those that go turn up', () => {
    const random = seededRandom(3)
    const fleets = [
      [10_000, 0, 0],
      [100_000, 0, 0],
      [300, 0],
      [40, 40, 0, 0],
      [5_000, 4_000, 10, 0, 0],
      [0, 0, 0],
    ]
    for (const fleet of fleets) {
      const { rounds, servers } = settle(fleet, random)
      expect(rounds * 5).toBeLessThanOrEqual(300)
      const mean = servers.reduce((sum, count) => sum + count, 0) / servers.length
      const isEven = Math.max(...servers) < 1.3 * Math.min(...servers)
      expect(isEven || Math.max(...servers) - mean < 5).toBe(true)
    }
  })
})

describe('the balance of a server', () => {
  test('lets a sixth of the surplus go every five seconds, at most 500, until it is closed', () => {
    const clock = new FakeClock()
    const shed: number[] = []
    let open = 9_000
    const balance = new StreamBalance({
      clock,
      own: () => (open === 0 ? undefined : { open, leaving: 0 }),
      others: () => [0, 0],
      shed: count => shed.push(count),
    })
    clock.advance(5_000)
    open = 300
    clock.advance(5_000)
    open = 0
    clock.advance(5_000)
    expect(shed).toEqual([500, 34])
    balance.close()
    expect(clock.waiting).toBe(0)
  })
})
