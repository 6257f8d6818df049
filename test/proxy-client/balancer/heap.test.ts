import { describe, expect, it } from 'vitest'
import { seededRandom } from '../seeded-random.fixture.ts'
import { balancerOver, countPicks, endpoints } from './balancer.fixture.ts'

describe('heap', () => {
  it('uses an idle set in turn', () => {
    const { balancer } = balancerOver({ kind: 'heap' }, endpoints(7))
    expect([...countPicks(balancer, 70).values()]).toEqual([10, 10, 10, 10, 10, 10, 10])
  })

  it('always picks one with the least requests in progress', () => {
    const { balancer } = balancerOver({ kind: 'heap' }, endpoints(9))
    const random = seededRandom(3)
    const loads = new Array<number>(9).fill(0)
    const held: NonNullable<ReturnType<typeof balancer.pick>>[] = []
    for (let i = 0; i < 3_000; i++) {
      if (i % 500 === 499) balancer.update(endpoints(9))
      const pick = balancer.pick()
      if (pick === undefined) throw new Error('nine were given')
      expect(loads[pick.target]).toBe(Math.min(...loads))
      loads[pick.target] = (loads[pick.target] ?? 0) + 1
      held.push(pick)
      while (held.length > 0 && random() < 0.5) {
        const [ended] = held.splice(Math.floor(random() * held.length), 1)
        if (ended !== undefined) loads[ended.target] = (loads[ended.target] ?? 0) - 1
        ended?.release('success')
      }
    }
  })
})
