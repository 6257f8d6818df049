// What a program may say of balancing, with the proxy's names and defaults, made into balancers.
import { type Clock, systemRandom } from '../../watch/clock.ts'
import { type AccrualConfig, accrualConfig } from '../accrual/accrual-config.ts'
import { createAccrual } from '../accrual/create-accrual.ts'
import type { Balancer, BalancerOptions } from '../balancer/balancer.ts'
import { type BalancerConfig, balancerConfig } from '../balancer/balancer-config.ts'
import { createBalancer } from '../balancer/create-balancer.ts'

/** As in a proxy's configuration of a client; absent options have linkerd's defaults. */
export interface BalancingOptions {
  /** `{ kind: 'p2c' }` when absent. */
  readonly loadBalancer?: { readonly kind: BalancerConfig['kind'] } & Partial<BalancerConfig>
  /** `{ kind: 'io.l5d.consecutiveFailures', failures: 5 }` when absent. */
  readonly failureAccrual?: { readonly kind: AccrualConfig['kind'] } & Partial<AccrualConfig>
}

const defaultBalancer = { kind: 'p2c' } as const
const defaultAccrual = { kind: 'io.l5d.consecutiveFailures' } as const

/** Makes balancers of one kind. Throws a ZodError that names each option that is wrong. */
export function balancersOf<T>(
  { loadBalancer = defaultBalancer, failureAccrual = defaultAccrual }: BalancingOptions,
  clock: Clock,
  targets: Pick<BalancerOptions<T>, 'open' | 'close'>,
): () => Balancer<T> {
  const config = balancerConfig.parse(loadBalancer)
  const accrual = createAccrual(accrualConfig.parse(failureAccrual), { random: systemRandom, clock })
  return () => createBalancer(config, { random: systemRandom, clock, accrual, ...targets })
}
