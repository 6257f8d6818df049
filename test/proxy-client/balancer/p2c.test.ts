import { describe, expect, it } from 'vitest'
import { threeSigma } from '../seeded-random.fixture.ts'
import { balancerOver, countPicks, endpoints } from './balancer.fixture.ts'

describe('p2c', () => {
  it('gives each of two endpoints half of what is idle again at once', () => {
    const { balancer } = balancerOver({ kind: 'p2c' }, endpoints(2))
    const first = countPicks(balancer, 10_000).get(0) ?? 0
    expect(Math.abs(first - 5_000)).toBeLessThan(threeSigma(10_000, 0.5))
  })

  it('leaves an endpoint alone that does not finish', () => {
    const { balancer } = balancerOver({ kind: 'p2c' }, endpoints(3))
    const held = balancer.pick()
    // With two choices an endpoint that has load is taken only if both draws are it, which never happens.
    expect(countPicks(balancer, 1_000).has(held?.target ?? -1)).toBe(false)
  })

  it('keeps loads within a few of each other when nothing finishes', () => {
    const { balancer } = balancerOver({ kind: 'p2c' }, endpoints(20))
    for (let i = 0; i < 20 * 50; i++) balancer.pick()
    const loads = balancer.report().map(({ load }) => load)
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(4)
  })
})
