// What the configuration says of one bound id, all prefixes that match it laid over each other. Made once per client.
import type { AccrualConfig } from '../accrual/accrual-config.ts'
import type { BalancerConfig } from '../balancer/balancer-config.ts'
import type { ClientSessionConfig, ConnectionPoolConfig } from '../pool/pool-config.ts'
import type { BudgetConfig } from '../retry/retry-config.ts'

export interface ClientSettings {
  readonly loadBalancer: BalancerConfig
  readonly failureAccrual: AccrualConfig
  readonly clientSession: ClientSessionConfig
  readonly hostConnectionPool: ConnectionPoolConfig
  /** Of requeues: tries after which nothing had been sent. */
  readonly requeueBudget: BudgetConfig
  /** Milliseconds for one attempt, from its start to the head of its response; absent for no limit. */
  readonly requestAttemptTimeoutMs: number | undefined
}
