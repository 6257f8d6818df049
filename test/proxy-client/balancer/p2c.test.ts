import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../../naming/replica-set.ts'
import { createP2c } from '../../../proxy-client/balancer/p2c.ts'
import { describeBalancer } from '../../contract/balancer.contract.ts'
import { seededRandom, threeSigma } from '../seeded-random.fixture.ts'

describeBalancer('p2c', createP2c)

function p2cOver(...endpoints: readonly Endpoint[]) {
  const balancer = createP2c({ random: seededRandom(7), open: ({ port }) => port, close: () => {} })
  balancer.update(endpoints)
  return balancer
}

const endpoint = (port: number, weight = 1): Endpoint => ({ address: '10.0.0.1', port, weight })

describe('p2c', () => {
  it('gives each of two endpoints half of what is idle again at once', () => {
    const balancer = p2cOver(endpoint(1), endpoint(2))
    const draws = 10_000
    let first = 0
    for (let i = 0; i < draws; i++) {
      const pick = balancer.pick()
      if (pick?.target === 1) first++
      pick?.release('success')
    }
    expect(Math.abs(first - draws / 2)).toBeLessThan(threeSigma(draws, 0.5))
  })

  it('leaves an endpoint alone that does not finish', () => {
    const balancer = p2cOver(endpoint(1), endpoint(2), endpoint(3))
    const held = balancer.pick()
    // With two choices an endpoint that has load is taken only if both draws are it, which never happens.
    for (let i = 0; i < 1000; i++) {
      const pick = balancer.pick()
      expect(pick?.target).not.toBe(held?.target)
      pick?.release('success')
    }
  })

  it('keeps loads within a few of each other when nothing finishes', () => {
    const balancer = p2cOver(...Array.from({ length: 20 }, (_, i) => endpoint(i)))
    for (let i = 0; i < 20 * 50; i++) balancer.pick()
    const loads = balancer.report().map(({ load }) => load)
    expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(4)
  })

  it('splits the traffic by weight', () => {
    const balancer = p2cOver(endpoint(1, 1), endpoint(2, 9))
    const draws = 10_000
    let light = 0
    for (let i = 0; i < draws; i++) if (balancer.pick()?.target === 1) light++
    expect(Math.abs(light - draws * 0.1)).toBeLessThan(threeSigma(draws, 0.1))
  })
})
