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
    let present = endpoints(9)
    let loads = new Array<number>(9).fill(0)
    let held: NonNullable<ReturnType<typeof balancer.pick>>[] = []
    for (let i = 0; i < 3_000; i++) {
      if (i % 10 === 0) {
        present = endpoints(9).filter(({ port }) => port === 0 || random() < 0.8)
        balancer.update(present)
        // Whoever left is opened anew when it comes back.
        loads = loads.map((load, port) => (present.some(endpoint => endpoint.port === port) ? load : 0))
        held = held.filter(({ target }) => present.some(({ port }) => port === target))
      }
      const pick = balancer.pick()
      if (pick === undefined) throw new Error('one at least is present')
      expect(loads[pick.target]).toBe(Math.min(...present.map(({ port }) => loads[port] ?? 0)))
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
