// What every balancer keeps to, whatever it prefers.
import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Balancer, BalancerOptions } from '../../proxy-client/balancer/balancer.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'

interface Target {
  readonly port: number
}

const endpoint = (port: number, weight = 1): Endpoint => ({ address: '10.0.0.1', port, weight })

/** Runs the suite; `create` makes a balancer with no endpoint. */
export function describeBalancer(name: string, create: (options: BalancerOptions<Target>) => Balancer<Target>): void {
  function setUp(...endpoints: readonly Endpoint[]) {
    const opened: number[] = []
    const closed: number[] = []
    const balancer = create({
      random: seededRandom(1),
      open: ({ port }) => {
        opened.push(port)
        return { port }
      },
      close: ({ port }) => closed.push(port),
    })
    balancer.update(endpoints)
    return { balancer, opened, closed }
  }
  const loadOf = (balancer: Balancer<Target>, port: number): number | undefined =>
    balancer.report().find(({ address }) => address === `10.0.0.1:${port}`)?.load

  describe(`${name} as a balancer`, () => {
    it('picks nothing when there is no endpoint', () => {
      expect(setUp().balancer.pick()).toBeUndefined()
    })

    it('picks the only endpoint each time', () => {
      const { balancer } = setUp(endpoint(1))
      for (let i = 0; i < 10; i++) expect(balancer.pick()?.target.port).toBe(1)
    })

    it('picks every endpoint sooner or later', () => {
      const { balancer } = setUp(endpoint(1), endpoint(2), endpoint(3))
      const seen = new Set<number | undefined>()
      for (let i = 0; i < 200; i++) {
        const pick = balancer.pick()
        seen.add(pick?.target.port)
        pick?.release('success')
      }
      expect(seen).toEqual(new Set([1, 2, 3]))
    })

    it('never picks what is to be avoided, and picks what is left', () => {
      const { balancer } = setUp(...Array.from({ length: 50 }, (_, i) => endpoint(i + 1)))
      const [last, ...others] = [...balancer.targets()]
      for (let i = 0; i < 20; i++) expect(balancer.pick(others)?.target).toBe(last)
      expect(balancer.pick([...balancer.targets()])).toBeUndefined()
    })

    it('counts a request until it is released, and releases once', () => {
      const { balancer } = setUp(endpoint(1))
      const first = balancer.pick()
      const second = balancer.pick()
      expect(loadOf(balancer, 1)).toBe(2)
      first?.release('success')
      first?.release('failure')
      expect(loadOf(balancer, 1)).toBe(1)
      second?.release('aborted')
      expect(loadOf(balancer, 1)).toBe(0)
    })

    it('keeps the load and the target of endpoints that stay', () => {
      const { balancer, opened, closed } = setUp(endpoint(1))
      const target = balancer.pick()?.target
      balancer.update([endpoint(2), endpoint(1, 5)])
      expect(loadOf(balancer, 1)).toBe(1)
      expect([...balancer.targets()]).toContain(target)
      expect(balancer.report()).toContainEqual({ address: '10.0.0.1:1', weight: 5, load: 1 })
      expect(opened).toEqual([1, 2])
      expect(closed).toEqual([])
    })

    it('closes an endpoint that leaves once, and picks it no more', () => {
      const { balancer, closed } = setUp(endpoint(1), endpoint(2))
      balancer.update([endpoint(2)])
      balancer.update([endpoint(2)])
      expect(closed).toEqual([1])
      for (let i = 0; i < 10; i++) expect(balancer.pick()?.target.port).toBe(2)
    })

    it('takes a release for an endpoint that has left', () => {
      const { balancer } = setUp(endpoint(1))
      const pick = balancer.pick()
      balancer.update([endpoint(2)])
      pick?.release('success')
      expect(balancer.report()).toEqual([{ address: '10.0.0.1:2', weight: 1, load: 0 }])
    })

    it('counts an address that stands twice once', () => {
      const { balancer, opened } = setUp(endpoint(1), endpoint(1), endpoint(2))
      expect(balancer.size).toBe(2)
      expect(opened).toEqual([1, 2])
    })

    it('opens an endpoint anew when it comes back', () => {
      const { balancer, opened, closed } = setUp(endpoint(1))
      balancer.update([])
      balancer.update([endpoint(1)])
      expect({ opened, closed }).toEqual({ opened: [1, 1], closed: [1] })
      expect(loadOf(balancer, 1)).toBe(0)
    })

    it('closes every endpoint when it is closed', () => {
      const { balancer, closed } = setUp(endpoint(1), endpoint(2))
      balancer.close()
      expect(closed.toSorted()).toEqual([1, 2])
      expect(balancer.pick()).toBeUndefined()
    })
  })
}
