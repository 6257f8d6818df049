// A balancer over numbered endpoints with a clock and chance of its own.
import type { Endpoint } from '../../../naming/replica-set.ts'
import type { CreateAccrual } from '../../../proxy-client/accrual/accrual.ts'
import type { Balancer } from '../../../proxy-client/balancer/balancer.ts'
import { balancerConfig } from '../../../proxy-client/balancer/balancer-config.ts'
import { createBalancer } from '../../../proxy-client/balancer/create-balancer.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { seededRandom } from '../seeded-random.fixture.ts'

export const endpoint = (port: number, weight = 1): Endpoint => ({ address: '10.0.0.1', port, weight })

export const endpoints = (count: number): readonly Endpoint[] => Array.from({ length: count }, (_, i) => endpoint(i))

/** An endpoint's target is its port. */
export function balancerOver(
  config: { readonly kind: string; readonly [option: string]: unknown },
  set: readonly Endpoint[],
  accrual?: CreateAccrual,
): { readonly balancer: Balancer<number>; readonly clock: FakeClock } {
  const clock = new FakeClock()
  const balancer = createBalancer<number>(balancerConfig.parse(config), {
    random: seededRandom(7),
    clock,
    ...(accrual === undefined ? {} : { accrual }),
    open: ({ port }) => port,
    close: () => {},
  })
  balancer.update(set)
  return { balancer, clock }
}

/** How often each was picked when each request ends before the next. */
export function countPicks(balancer: Balancer<number>, requests: number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (let i = 0; i < requests; i++) {
    const pick = balancer.pick()
    if (pick === undefined) throw new Error('there is nothing to pick')
    counts.set(pick.target, (counts.get(pick.target) ?? 0) + 1)
    pick.release('success')
  }
  return counts
}
