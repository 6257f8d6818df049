import { describe, expect, it } from 'vitest'
import { ConsecutiveFailures } from '../../../proxy-client/accrual/consecutive-failures.ts'
import type { Balancer, Outcome } from '../../../proxy-client/balancer/balancer.ts'
import { createBackoff } from '../../../proxy-client/retry/backoff.ts'
import type { FakeClock } from '../../fakes/clock.fake.ts'
import { balancerOver, endpoint, endpoints } from './balancer.fixture.ts'
import { type Replica as SimulatedReplica, simulate } from './simulation.fixture.ts'

interface Replica {
  readonly ms: number
  readonly outcome?: Outcome
}

/** Sends one request after another; gives how often each endpoint was picked. */
function drive(
  { balancer, clock }: { readonly balancer: Balancer<number>; readonly clock: FakeClock },
  replicas: readonly Replica[],
  requests: number,
): readonly number[] {
  const counts = replicas.map(() => 0)
  for (let i = 0; i < requests; i++) {
    const pick = balancer.pick()
    const { ms, outcome = 'success' } = replicas[pick?.target ?? -1] ?? { ms: 0 }
    clock.advance(ms)
    pick?.release(outcome)
    if (pick !== undefined) counts[pick.target] = (counts[pick.target] ?? 0) + 1
  }
  return counts
}

describe('ewma', () => {
  it('sends a request to the faster of two', () => {
    const world = balancerOver({ kind: 'ewma' }, endpoints(2))
    expect(drive(world, [{ ms: 50 }, { ms: 5 }], 1_000)).toEqual([1, 999])
  })

  it('asks each new endpoint once, and not again before it has answered', () => {
    const { balancer, clock } = balancerOver({ kind: 'ewma' }, endpoints(2))
    drive({ balancer, clock }, [{ ms: 5 }, { ms: 5 }], 20)
    balancer.update([...endpoints(2), endpoint(2)])
    const held = Array.from({ length: 12 }, () => balancer.pick())
    expect(held.filter(pick => pick?.target === 2)).toHaveLength(1)
  })

  it('tries a slow endpoint again when its slowness has faded', () => {
    const world = balancerOver({ kind: 'ewma', decayTimeMs: 1_000 }, endpoints(2))
    drive(world, [{ ms: 100 }, { ms: 10 }], 10)
    // It takes ln(10) s until 100 ms have faded to 10.
    expect(drive(world, [{ ms: 10 }, { ms: 10 }], 200)[0]).toBe(0)
    expect(drive(world, [{ ms: 10 }, { ms: 10 }], 200)[0]).toBeGreaterThan(0)
  })

  it('sees at once that an endpoint has become slow', () => {
    const world = balancerOver({ kind: 'ewma' }, endpoints(2))
    drive(world, [{ ms: 5 }, { ms: 6 }], 100)
    const [first = 0] = drive(world, [{ ms: 500 }, { ms: 6 }], 100)
    expect(first).toBeLessThanOrEqual(1)
  })

  it('takes another than the fastest when that is busy enough', () => {
    const world = balancerOver({ kind: 'ewma' }, endpoints(2))
    drive(world, [{ ms: 10 }, { ms: 15 }], 50)
    const held = Array.from({ length: 10 }, () => world.balancer.pick()?.target)
    expect(new Set(held)).toEqual(new Set([0, 1]))
  })

  it('draws no requests to an endpoint that fails fast', () => {
    const world = balancerOver({ kind: 'ewma' }, endpoints(2))
    drive(world, [{ ms: 10 }, { ms: 10 }], 100)
    const [failing = 0] = drive(world, [{ ms: 0, outcome: 'failure' }, { ms: 10 }], 1_000)
    expect(failing).toBeLessThan(10)
  })

  it('learns from a client that left only that an answer would have taken longer', () => {
    const world = balancerOver({ kind: 'ewma', decayTimeMs: 100 }, endpoints(1))
    drive(world, [{ ms: 10 }], 1)
    drive(world, [{ ms: 1, outcome: 'aborted' }], 100)
    expect(world.balancer.report()[0]?.latencyMs).toBeCloseTo(10 / Math.E)
    drive(world, [{ ms: 900, outcome: 'aborted' }], 1)
    expect(world.balancer.report()[0]?.latencyMs).toBe(900)
  })

  it('measures until the answer begins, not until a stream has ended', () => {
    const { balancer, clock } = balancerOver({ kind: 'ewma' }, endpoints(1))
    for (const end of ['success', 'failure', 'aborted'] as const) {
      const pick = balancer.pick()
      clock.advance(10)
      pick?.answered('success')
      clock.advance(3_600_000)
      pick?.release(end)
      expect(balancer.report()[0]?.latencyMs ?? 0).toBeLessThanOrEqual(10)
    }
    drive({ balancer, clock }, [{ ms: 10 }], 1)
    expect(balancer.report()[0]?.latencyMs).toBeCloseTo(10)
  })

  it('knows a new endpoint by the beginning of its first answer', () => {
    const { balancer, clock } = balancerOver({ kind: 'ewma' }, endpoints(1))
    drive({ balancer, clock }, [{ ms: 10 }], 1)
    balancer.update(endpoints(2))
    const stream = balancer.pick()
    expect(stream?.target).toBe(1)
    clock.advance(1)
    stream?.answered('success')
    expect(balancer.pick()?.target).toBe(1)
  })

  it('sends few requests to an endpoint that answers none any more, however long they wait', () => {
    const { balancer, clock } = balancerOver({ kind: 'ewma', decayTimeMs: 1_000 }, endpoints(5))
    let hung = 0
    for (let i = 0; i < 5_000; i++) {
      const pick = balancer.pick()
      if (pick?.target === 0 && i > 500) hung++
      else clock.after(20, () => pick?.release('success'))
      clock.advance(4)
    }
    expect(hung).toBeLessThanOrEqual(10)
  })

  it('still learns of an endpoint after one that was out while it died', () => {
    const backoff = createBackoff({ kind: 'constant', ms: 1_000 }, () => 0)
    const { balancer, clock } = balancerOver(
      { kind: 'ewma', decayTimeMs: 1_000 },
      endpoints(1),
      () => new ConsecutiveFailures(1, backoff),
    )
    const [early, late] = [balancer.pick(), balancer.pick()]
    clock.advance(100)
    late?.release('failure')
    early?.release('aborted')
    balancer.pick()?.release('success')
    clock.advance(1_000)
    expect(balancer.report()[0]?.latencyMs).toBeCloseTo(100 / Math.E)
  })

  it('does not take a new endpoint for fast because the first client left early', () => {
    const { balancer, clock } = balancerOver({ kind: 'ewma' }, endpoints(1))
    drive({ balancer, clock }, [{ ms: 10 }], 1)
    balancer.update(endpoints(2))
    drive({ balancer, clock }, [{ ms: 10 }, { ms: 1, outcome: 'aborted' }], 1)
    expect(balancer.report()[1]).not.toHaveProperty('latencyMs')
    drive({ balancer, clock }, [{ ms: 10 }, { ms: 50, outcome: 'aborted' }], 1)
    expect(balancer.report()[1]?.latencyMs).toBe(50)
  })

  it('learns nothing from a request that went to a dead endpoint', () => {
    const backoff = createBackoff({ kind: 'constant', ms: 1_000 }, () => 0)
    const world = balancerOver({ kind: 'ewma' }, endpoints(1), () => new ConsecutiveFailures(1, backoff))
    drive(world, [{ ms: 10 }], 1)
    drive(world, [{ ms: 0, outcome: 'failure' }], 1)
    const [first, second] = [world.balancer.pick(), world.balancer.pick()]
    first?.release('success')
    second?.release('success')
    expect(world.balancer.report()).toMatchObject([{ state: 'open', latencyMs: 20 }])
  })

  it('reports no latency before there is one', () => {
    const world = balancerOver({ kind: 'ewma' }, endpoints(1))
    expect(world.balancer.report()[0]).not.toHaveProperty('latencyMs')
  })

  describe('before ten replicas of which one is ten times slower', () => {
    const good: SimulatedReplica = { slots: 8, meanMs: 5 }
    const replicas = [{ ...good, meanMs: 50 }, ...Array.from({ length: 9 }, () => good)]
    const run = (kind: string) => simulate({ kind, replicas, requestsPerSecond: 500, seconds: 10 })

    /** The latency that one request in a hundred exceeds. */
    const tail = ({ latencies }: ReturnType<typeof run>): number =>
      latencies.toSorted((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? Number.NaN

    it('sends the slow one a request in two hundred at most', () => {
      const { sent, latencies } = run('ewma')
      expect(sent[0]).toBeLessThanOrEqual(latencies.length / 200)
    })

    it("has a tail of a third of round robin's at most", () => {
      expect(tail(run('ewma'))).toBeLessThanOrEqual(tail(run('roundRobin')) / 3)
    })
  })
})
