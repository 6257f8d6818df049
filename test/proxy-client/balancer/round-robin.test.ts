import { describe, expect, it } from 'vitest'
import { balancerOver, countPicks, endpoint, endpoints } from './balancer.fixture.ts'

describe('roundRobin', () => {
  it('gives each endpoint its turn, whatever its load', () => {
    const { balancer } = balancerOver({ kind: 'roundRobin' }, endpoints(5))
    for (let i = 0; i < 7; i++) balancer.pick()
    expect([...countPicks(balancer, 50).values()]).toEqual([10, 10, 10, 10, 10])
  })

  it('begins in another order in every process', () => {
    const { balancer } = balancerOver({ kind: 'roundRobin' }, endpoints(20))
    const order = Array.from({ length: 20 }, () => balancer.pick()?.target)
    expect(order).not.toEqual(order.toSorted((a = 0, b = 0) => a - b))
  })

  it('goes on when endpoints join and leave', () => {
    const { balancer } = balancerOver({ kind: 'roundRobin' }, endpoints(3))
    balancer.pick()
    balancer.update([endpoint(0), endpoint(9)])
    expect(countPicks(balancer, 100)).toEqual(
      new Map([
        [0, 50],
        [9, 50],
      ]),
    )
  })
})
