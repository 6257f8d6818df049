import { describe, expect, it } from 'vitest'
import type { Pick } from '../../../proxy-client/balancer/balancer.ts'
import { balancerOver, countPicks, endpoints } from './balancer.fixture.ts'

/** Keeps `inProgress` requests in progress for a minute; gives which endpoints the last second's went to. */
function keepBusy({ balancer, clock }: ReturnType<typeof balancerOver>, inProgress: number): ReadonlySet<number> {
  const held: Pick<number>[] = []
  const last = new Set<number>()
  for (let ms = 0; ms < 60_000; ms += 10) {
    const pick = balancer.pick()
    if (pick !== undefined) held.push(pick)
    if (ms >= 59_000 && pick !== undefined) last.add(pick.target)
    clock.advance(10)
    if (held.length >= inProgress) held.shift()?.release('success')
  }
  for (const pick of held) pick.release('success')
  return last
}

describe('aperture', () => {
  it('uses a part of the endpoints that is as large as the load asks for', () => {
    const world = balancerOver({ kind: 'aperture' }, endpoints(100))
    const few = keepBusy(world, 10)
    expect(few.size).toBeGreaterThanOrEqual(5)
    expect(few.size).toBeLessThanOrEqual(20)
    const many = keepBusy(world, 90)
    expect(many.size).toBeGreaterThan(30)
    expect([...few].every(port => many.has(port))).toBe(true)
  })

  it('narrows again when the load has gone', () => {
    const world = balancerOver({ kind: 'aperture' }, endpoints(50))
    keepBusy(world, 60)
    keepBusy(world, 1)
    expect(countPicks(world.balancer, 100).size).toBe(1)
  })

  it('never is narrower than asked', () => {
    const { balancer } = balancerOver({ kind: 'aperture', minAperture: 7 }, endpoints(50))
    expect(countPicks(balancer, 500).size).toBe(7)
  })

  it('is any part of the set, another in every process', () => {
    const { balancer } = balancerOver({ kind: 'aperture', minAperture: 5 }, endpoints(50))
    // Five of the first ten of fifty by chance: one in eight thousand.
    expect([...countPicks(balancer, 200).keys()].some(port => port >= 10)).toBe(true)
  })

  it('uses all endpoints when there are fewer than asked', () => {
    const { balancer } = balancerOver({ kind: 'aperture', minAperture: 7 }, endpoints(3))
    expect(countPicks(balancer, 500).size).toBe(3)
  })

  it('puts another endpoint in the place of one that leaves', () => {
    const { balancer } = balancerOver({ kind: 'aperture', minAperture: 2 }, endpoints(10))
    const [gone] = countPicks(balancer, 100).keys()
    balancer.update(endpoints(10).filter(({ port }) => port !== gone))
    const seen = countPicks(balancer, 100)
    expect(seen.size).toBe(2)
    expect(seen.has(gone ?? -1)).toBe(false)
  })

  it('counts the load of an endpoint that has left no more', () => {
    const { balancer, clock } = balancerOver({ kind: 'aperture' }, endpoints(50))
    for (let i = 0; i < 40; i++) balancer.pick()
    const gone = new Set(balancer.report().flatMap(({ load }, port) => (load > 0 ? [port] : [])))
    balancer.update(endpoints(50).filter(({ port }) => !gone.has(port)))
    for (let i = 0; i < 100; i++) {
      clock.advance(1_000)
      balancer.pick()?.release('success')
    }
    expect(countPicks(balancer, 100).size).toBe(1)
  })
})
