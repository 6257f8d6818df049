// What every balancer keeps to, whatever it prefers.
import { describe, expect, it } from 'vitest'
import type { Endpoint } from '../../naming/replica-set.ts'
import type { FailureAccrual } from '../../proxy-client/accrual/accrual.ts'
import { accrualConfig } from '../../proxy-client/accrual/accrual-config.ts'
import { createAccrual } from '../../proxy-client/accrual/create-accrual.ts'
import type { Outcome, Pick } from '../../proxy-client/balancer/balancer.ts'
import { balancerConfig } from '../../proxy-client/balancer/balancer-config.ts'
import { createBalancer } from '../../proxy-client/balancer/create-balancer.ts'
import { FakeClock } from '../fakes/clock.fake.ts'
import { seededRandom, threeSigma } from '../proxy-client/seeded-random.fixture.ts'

interface Target {
  readonly port: number
}

interface World {
  readonly enableProbation?: boolean
  readonly accrual?: () => FailureAccrual
}

const endpoint = (port: number, weight = 1): Endpoint => ({ address: '10.0.0.1', port, weight })
const endpoints = (count: number): readonly Endpoint[] => Array.from({ length: count }, (_, i) => endpoint(i + 1))

/** Dead after `limit` failures in a row, for a second, then two. */
function threeStrikes(limit = 3): FailureAccrual {
  let failures = 0
  return {
    succeeded: () => {
      failures = 0
    },
    failed: () => (++failures < limit ? undefined : 1_000),
    probeFailed: () => 2_000,
    revived: () => {
      failures = 0
    },
  }
}

/** Runs the suite for a kind with the options of its configuration. */
export function describeBalancer(config: { readonly kind: string }): void {
  function setUp(set: readonly Endpoint[], { enableProbation = false, accrual }: World = {}) {
    const opened: number[] = []
    const closed: number[] = []
    const told: string[] = []
    const clock = new FakeClock()
    const balancer = createBalancer<Target>(balancerConfig.parse({ ...config, enableProbation }), {
      random: seededRandom(1),
      clock,
      ...(accrual === undefined ? {} : { accrual }),
      onAccrual: {
        removed: () => told.push('removed'),
        probed: () => told.push('probed'),
        revived: () => told.push('revived'),
      },
      open: ({ port }) => {
        opened.push(port)
        return { port }
      },
      close: ({ port }) => closed.push(port),
    })
    balancer.update(set)
    const reportOf = (port: number) => balancer.report().find(({ address }) => address === `10.0.0.1:${port}`)
    /** A request to whichever is picked, which ends as `answer` says; 1 ms each. */
    const request = (answer: (port: number) => Outcome = () => 'success'): number | undefined => {
      const pick = balancer.pick()
      clock.advance(1)
      pick?.release(answer(pick.target.port))
      return pick?.target.port
    }
    /** Requests one after the other until the endpoint with this port is picked. */
    const pickPort = (port: number): Pick<Target> => {
      for (let i = 0; i < 10_000; i++) {
        const pick = balancer.pick()
        if (pick?.target.port === port) return pick
        clock.advance(1)
        pick?.release('success')
      }
      throw new Error(`${port} is never picked`)
    }
    return { balancer, opened, closed, told, clock, reportOf, request, pickPort }
  }

  const failing =
    (...ports: readonly number[]) =>
    (port: number): Outcome =>
      ports.includes(port) ? 'failure' : 'success'

  describe(`${config.kind} as a balancer`, () => {
    it('picks nothing when there is no endpoint', () => {
      expect(setUp([]).balancer.pick()).toBeUndefined()
    })

    it('picks the only endpoint each time', () => {
      const { balancer } = setUp(endpoints(1))
      for (let i = 0; i < 10; i++) expect(balancer.pick()?.target.port).toBe(1)
    })

    it('picks every endpoint sooner or later when requests keep all of them busy', () => {
      const { balancer, clock } = setUp(endpoints(5))
      const seen = new Set<number | undefined>()
      const held: (Pick<Target> | undefined)[] = []
      for (let i = 0; i < 500; i++) {
        const pick = balancer.pick()
        seen.add(pick?.target.port)
        held.push(pick)
        clock.advance(100)
        if (held.length > 15) held.shift()?.release('success')
      }
      expect([...seen].toSorted()).toEqual([1, 2, 3, 4, 5])
    })

    it('never picks what is to be avoided, and picks what is left', () => {
      const { balancer } = setUp(endpoints(50))
      const [last, ...others] = [...balancer.targets()]
      for (let i = 0; i < 20; i++) expect(balancer.pick(others)?.target).toBe(last)
      expect(balancer.pick([...balancer.targets()])).toBeUndefined()
    })

    it('counts a request until it is released, and releases once', () => {
      const { balancer, reportOf } = setUp(endpoints(1))
      const first = balancer.pick()
      const second = balancer.pick()
      expect(reportOf(1)?.load).toBe(2)
      first?.release('success')
      first?.release('failure')
      expect(reportOf(1)?.load).toBe(1)
      second?.release('aborted')
      expect(reportOf(1)?.load).toBe(0)
    })

    it('keeps the load and the target of endpoints that stay', () => {
      const { balancer, opened, closed, reportOf } = setUp([endpoint(1)])
      const target = balancer.pick()?.target
      balancer.update([endpoint(2), endpoint(1, 5)])
      expect([...balancer.targets()]).toContain(target)
      expect(reportOf(1)).toEqual({ address: '10.0.0.1:1', weight: 5, load: 1, state: 'open' })
      expect(opened).toEqual([1, 2])
      expect(closed).toEqual([])
    })

    it('closes an endpoint that leaves once, and picks it no more', () => {
      const { balancer, closed } = setUp(endpoints(2))
      balancer.update([endpoint(2)])
      balancer.update([endpoint(2)])
      expect(closed).toEqual([1])
      for (let i = 0; i < 10; i++) expect(balancer.pick()?.target.port).toBe(2)
    })

    it('takes a release for an endpoint that has left', () => {
      const { balancer, told } = setUp([endpoint(1)], { accrual: () => threeStrikes(1) })
      const pick = balancer.pick()
      balancer.update([endpoint(2)])
      pick?.release('failure')
      expect(balancer.report()).toEqual([{ address: '10.0.0.1:2', weight: 1, load: 0, state: 'open' }])
      expect(told).toEqual([])
    })

    it('counts an address that stands twice once', () => {
      const { balancer, opened } = setUp([endpoint(1), endpoint(1), endpoint(2)])
      expect(balancer.size).toBe(2)
      expect(opened).toEqual([1, 2])
    })

    it('opens an endpoint anew when it comes back', () => {
      const { balancer, opened, closed, reportOf } = setUp([endpoint(1)])
      balancer.pick()
      balancer.update([])
      balancer.update([endpoint(1)])
      expect({ opened, closed }).toEqual({ opened: [1, 1], closed: [1] })
      expect(reportOf(1)?.load).toBe(0)
    })

    it('closes every endpoint when it is closed, and leaves no timer behind', () => {
      const { balancer, closed, clock } = setUp(endpoints(3), { enableProbation: true })
      balancer.update([endpoint(1)])
      balancer.close()
      expect(closed.toSorted()).toEqual([1, 2, 3])
      expect(balancer.pick()).toBeUndefined()
      expect(clock.waiting).toBe(0)
    })

    it('splits the traffic by weight', () => {
      const { request } = setUp([endpoint(1, 1), endpoint(2, 3), endpoint(3, 3), endpoint(4, 0.5)])
      const draws = 4_000
      const counts = new Map<number | undefined, number>()
      for (let i = 0; i < draws; i++) {
        const port = request()
        counts.set(port, (counts.get(port) ?? 0) + 1)
      }
      // Within a weight an aperture may be narrower than its class.
      const heavy = (counts.get(2) ?? 0) + (counts.get(3) ?? 0)
      expect(Math.abs((counts.get(1) ?? 0) - draws / 7.5)).toBeLessThan(threeSigma(draws, 1 / 7.5))
      expect(Math.abs(heavy - (draws * 6) / 7.5)).toBeLessThan(threeSigma(draws, 6 / 7.5))
      expect(Math.abs((counts.get(4) ?? 0) - draws / 15)).toBeLessThan(threeSigma(draws, 1 / 15))
    })

    it('follows a weight that changes while requests are out', () => {
      const { balancer, clock, request } = setUp([endpoint(1, 1), endpoint(2, 1)])
      const held = [balancer.pick(), balancer.pick()]
      balancer.update([endpoint(1, 1), endpoint(2, 9)])
      clock.advance(1)
      for (const pick of held) pick?.release('success')
      let light = 0
      for (let i = 0; i < 2_000; i++) if (request() === 1) light++
      expect(Math.abs(light - 200)).toBeLessThan(threeSigma(2_000, 0.1))
      expect(balancer.report().map(({ load }) => load)).toEqual([0, 0])
    })

    it('sends an endpoint that always fails at most five requests, then probes only', () => {
      const random = seededRandom(5)
      const accrualClock = new FakeClock()
      const accrual = createAccrual(accrualConfig.parse({ kind: 'io.l5d.consecutiveFailures' }), {
        random,
        clock: accrualClock,
      })
      const { request, told } = setUp(endpoints(3), { accrual })
      let requests = 0
      for (let i = 0; i < 15_000; i++) if (request(failing(2)) === 2) requests++
      expect(requests - told.filter(event => event === 'probed').length).toBeLessThanOrEqual(5)
      expect(told.filter(event => event === 'removed').length).toBeLessThanOrEqual(1)
    })

    it('sends a dead endpoint among others no more than its limit, then one probe at a time', () => {
      const { balancer, clock, told, reportOf } = setUp(endpoints(3), { accrual: threeStrikes })
      const [target, ...others] = balancer.targets()
      const sent: number[] = []
      for (let i = 0; i < 3; i++) balancer.pick(others)?.release('refused')
      expect(told).toEqual(['removed'])
      for (let i = 0; i < 100; i++) {
        const pick = balancer.pick()
        if (pick?.target === target) sent.push(i)
        pick?.release('success')
      }
      expect(sent).toEqual([])
      clock.advance(1_000)
      const probe = balancer.pick()
      expect(probe?.target).toBe(target)
      expect(reportOf(1)?.state).toBe('probing')
      for (let i = 0; i < 50; i++) expect(balancer.pick()?.target).not.toBe(target)
      probe?.release('failure')
      clock.advance(1_999)
      expect(balancer.pick()?.target).not.toBe(target)
      clock.advance(1)
      balancer.pick()?.release('success')
      expect(told).toEqual(['removed', 'probed', 'probed', 'revived'])
      expect(reportOf(1)?.state).toBe('open')
      expect(balancer.pick(others)?.target).toBe(target)
    })

    it('probes again at once when the client of the probe has left', () => {
      const { balancer, clock } = setUp(endpoints(2), { accrual: () => threeStrikes(1) })
      const [first, second] = [...balancer.targets()]
      if (second !== undefined) balancer.pick([second])?.release('failure')
      clock.advance(1_000)
      balancer.pick()?.release('aborted')
      expect(balancer.pick()?.target).toBe(first)
    })

    it('takes an endpoint for alive when its probe is answered well, however long that answer takes to end', () => {
      const { balancer, clock, told, reportOf } = setUp(endpoints(2), { accrual: () => threeStrikes(1) })
      const [first, second] = [...balancer.targets()]
      if (first === undefined || second === undefined) throw new Error('two were given')
      balancer.pick([second])?.release('failure')
      clock.advance(1_000)
      const stream = balancer.pick()
      stream?.answered('success')
      expect(told).toEqual(['removed', 'probed', 'revived'])
      expect(balancer.pick([second])?.target).toBe(first)
      stream?.answered('failure')
      stream?.release('failure')
      expect(reportOf(1)).toMatchObject({ state: 'dead', load: 1 })
    })

    it('waits for the end of a probe that is answered badly', () => {
      const { balancer, clock, told, reportOf } = setUp(endpoints(2), { accrual: () => threeStrikes(1) })
      const [, second] = [...balancer.targets()]
      if (second !== undefined) balancer.pick([second])?.release('failure')
      clock.advance(1_000)
      const probe = balancer.pick()
      probe?.answered('failure')
      expect(reportOf(1)?.state).toBe('probing')
      probe?.release('failure')
      expect(told).toEqual(['removed', 'probed'])
      expect(reportOf(1)).toMatchObject({ state: 'dead', load: 0 })
    })

    it('takes a probe from before the last death as no sign of life, nor of death', () => {
      const { balancer, clock, told, reportOf } = setUp(endpoints(1), { accrual: () => threeStrikes(1) })
      balancer.pick()?.release('failure')
      const lastResort = balancer.pick()
      clock.advance(1_000)
      const [old, other] = [balancer.pick(), balancer.pick()]
      lastResort?.release('success')
      other?.release('failure')
      clock.advance(1_000)
      const probe = balancer.pick()
      expect(told).toEqual(['removed', 'probed', 'revived', 'removed', 'probed'])
      old?.answered('success')
      old?.release('failure')
      expect(reportOf(1)?.state).toBe('probing')
      probe?.release('success')
      expect(reportOf(1)).toMatchObject({ state: 'open', load: 0 })
    })

    it('never makes a probe of a request that was tried before', () => {
      const { balancer, clock, told } = setUp(endpoints(3), { accrual: () => threeStrikes(1) })
      const [first, second, third] = [...balancer.targets()]
      if (first === undefined || second === undefined || third === undefined) throw new Error('three were given')
      balancer.pick([second, third])?.release('failure')
      clock.advance(5_000)
      for (let i = 0; i < 20; i++) expect(balancer.pick([second])?.target).toBe(third)
      const lastResort = balancer.pick([second, third])
      expect(lastResort?.target).toBe(first)
      expect(told).toEqual(['removed'])
      lastResort?.release('success')
      expect(told).toEqual(['removed', 'revived'])
    })

    it('counts failures anew after a success, and after a revival', () => {
      const { balancer, told } = setUp(endpoints(1), { accrual: threeStrikes })
      const answer = (...outcomes: readonly Outcome[]): void => {
        for (const outcome of outcomes) balancer.pick()?.release(outcome)
      }
      answer('failure', 'refused', 'success', 'failure', 'failure')
      expect(told).toEqual([])
      answer('failure', 'success', 'failure', 'failure')
      expect(told).toEqual(['removed', 'revived'])
      answer('failure')
      expect(told).toEqual(['removed', 'revived', 'removed'])
    })

    it('counts a client that leaves as nothing', () => {
      const { balancer, reportOf } = setUp(endpoints(1), { accrual: () => threeStrikes(1) })
      for (let i = 0; i < 10; i++) balancer.pick()?.release('aborted')
      expect(reportOf(1)?.state).toBe('open')
    })

    it('goes on with the only endpoint when that is dead, and revives it by the first success', () => {
      const { balancer, clock, told, reportOf } = setUp(endpoints(1), { accrual: () => threeStrikes(1) })
      balancer.pick()?.release('failure')
      expect(reportOf(1)?.state).toBe('dead')
      clock.advance(999)
      for (let i = 0; i < 5; i++) balancer.pick()?.release('failure')
      expect(told).toEqual(['removed'])
      // These failures put the probe off no further.
      clock.advance(1)
      balancer.pick()?.release('failure')
      expect(told).toEqual(['removed', 'probed'])
      balancer.pick()?.release('success')
      expect(told).toEqual(['removed', 'probed', 'revived'])
      expect(reportOf(1)).toMatchObject({ state: 'open', load: 0 })
    })

    it('spreads requests over all when all are dead, and probes the others once one is back', () => {
      const { balancer, told, request } = setUp(endpoints(4), { accrual: () => threeStrikes(1) })
      for (let i = 0; i < 100 && told.length < 4; i++) request(() => 'failure')
      expect(told).toEqual(['removed', 'removed', 'removed', 'removed'])
      const seen = new Set<number | undefined>()
      for (let i = 0; i < 100; i++) {
        const pick = balancer.pick()
        seen.add(pick?.target.port)
        pick?.release('refused')
      }
      expect(seen.size).toBe(4)
      for (let i = 0; i < 4; i++) balancer.pick()?.release('success')
      expect(balancer.report().map(({ state }) => state)).toEqual(['open', 'open', 'open', 'open'])
      expect(told.slice(4)).toEqual(['revived', 'probed', 'revived', 'probed', 'revived', 'probed', 'revived'])
    })

    it('loses few requests to others that are still dead when one of many is back', () => {
      const accrual = (): FailureAccrual => ({ ...threeStrikes(1), failed: () => 300_000 })
      const { told, request } = setUp(endpoints(100), { accrual })
      while (told.length < 100) request(() => 'failure')
      const answers = (port: number): Outcome => (port === 7 ? 'success' : 'refused')
      while (!told.includes('revived')) request(answers)
      const lost = Array.from({ length: 50 }, () => request(answers)).filter(port => port !== 7)
      expect(lost.length).toBeLessThanOrEqual(2)
    })

    it('probes no second time what is being probed while another comes back', () => {
      const { balancer, clock, told } = setUp(endpoints(2), { accrual: () => threeStrikes(1) })
      for (let i = 0; i < 100 && told.length < 2; i++) balancer.pick()?.release('failure')
      clock.advance(1_000)
      const probe = balancer.pick()
      balancer.pick()?.release('success')
      expect(told.slice(2)).toEqual(['probed', 'probed', 'revived'])
      for (let i = 0; i < 20; i++) expect(balancer.pick()?.target).not.toBe(probe?.target)
    })

    it('takes what began before an endpoint died as no sign of life', () => {
      const { balancer, reportOf } = setUp(endpoints(1), { accrual: () => threeStrikes(1) })
      const early = balancer.pick()
      const late = balancer.pick()
      late?.release('failure')
      early?.release('success')
      expect(reportOf(1)).toMatchObject({ state: 'dead', load: 0 })
    })

    it('drops a dead endpoint that leaves, on probation too', () => {
      const { balancer, closed } = setUp(endpoints(2), { accrual: () => threeStrikes(1), enableProbation: true })
      const [first] = balancer.targets()
      if (first !== undefined) balancer.pick([first])?.release('failure')
      balancer.update([endpoint(1)])
      expect(closed).toEqual([2])
      expect(balancer.size).toBe(1)
    })

    it('keeps an endpoint on probation until it fails', () => {
      const { balancer, closed, reportOf, pickPort } = setUp(endpoints(1), { enableProbation: true })
      balancer.update([])
      expect(reportOf(1)?.state).toBe('leaving')
      pickPort(1).release('success')
      expect(closed).toEqual([])
      pickPort(1).release('refused')
      expect(closed).toEqual([1])
      expect(balancer.pick()).toBeUndefined()
    })

    it('lets an endpoint on probation go when nobody uses it, and takes it back when it is named again', () => {
      const { balancer, opened, closed, clock, reportOf } = setUp(endpoints(2), { enableProbation: true })
      balancer.update([])
      balancer.update([endpoint(1)])
      expect(reportOf(1)?.state).toBe('open')
      clock.advance(60_000)
      expect(closed).toEqual([])
      clock.advance(60_000)
      expect({ opened, closed }).toEqual({ opened: [1, 2], closed: [2] })
      expect(clock.waiting).toBe(0)
    })

    it('keeps an endpoint on probation while a request is with it', () => {
      const { balancer, closed, clock } = setUp(endpoints(1), { enableProbation: true })
      const pick = balancer.pick()
      balancer.update([])
      clock.advance(600_000)
      expect(closed).toEqual([])
      pick?.release('success')
      clock.advance(60_000)
      expect(closed).toEqual([1])
    })

    it('keeps its books through any series of updates, requests and failures', () => {
      const random = seededRandom(11)
      const { balancer, clock, opened, closed } = setUp([], { accrual: () => threeStrikes(2), enableProbation: true })
      const below = (count: number): number => Math.floor(random() * count)
      const outcomes: readonly Outcome[] = ['success', 'success', 'failure', 'refused', 'aborted']
      const held: Pick<Target>[] = []
      for (let step = 0; step < 2_000; step++) {
        if (step % 25 === 0)
          balancer.update(endpoints(12).flatMap(({ port }) => (random() < 0.6 ? [endpoint(port, 1 + below(3))] : [])))
        const avoid = step % 7 === 0 ? held.slice(0, 2).map(({ target }) => target) : undefined
        const pick = balancer.pick(avoid)
        if (pick !== undefined) {
          expect(avoid ?? []).not.toContain(pick.target)
          held.push(pick)
        } else expect(balancer.size - new Set(avoid ?? []).size).toBeLessThanOrEqual(0)
        clock.advance(below(50))
        while (held.length > 8) held.splice(below(held.length), 1)[0]?.release(outcomes[below(5)] ?? 'success')
      }
      for (const pick of held) pick.release('aborted')
      expect(balancer.report().every(({ load }) => load === 0)).toBe(true)
      expect(opened.length - closed.length).toBe(balancer.size)
    })
  })
}
