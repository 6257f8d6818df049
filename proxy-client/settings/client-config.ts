// The `client` key of a router: one setting for all bound ids, or several by prefix. Knows no client.
import { z } from 'zod'
import { accrualConfig } from '../accrual/accrual-config.ts'
import { balancerConfig } from '../balancer/balancer-config.ts'
import { clientSessionConfig, connectionPoolConfig } from '../pool/pool-config.ts'
import { budgetConfig } from '../retry/retry-config.ts'
import { kinds } from './kinds.ts'
import { prefixText } from './prefix-pattern.ts'
import { refused } from './refused.ts'

/** What may be said of a client; what is not said is left to other prefixes and the defaults. */
const clientFields = {
  loadBalancer: balancerConfig.optional(),
  failureAccrual: accrualConfig.optional(),
  clientSession: clientSessionConfig.optional(),
  hostConnectionPool: connectionPoolConfig.optional(),
  requeueBudget: budgetConfig.optional(),
  requestAttemptTimeoutMs: z.int().min(1).max(86_400_000).optional(),
  failFast: z
    .literal(false, {
      error: 'is not supported: an endpoint that cannot be reached is left to failureAccrual; delete the line',
    })
    .optional(),
  tls: refused('upstreams are spoken to in plain HTTP; delete the block'),
  requestAuthorizers: refused('requests are not authorised here; delete the block'),
  forwardClientCert: refused('clients come without certificates; delete the line'),
}

const global = z.strictObject({ kind: z.literal('io.l5d.global'), ...clientFields })
const byPrefix = z.strictObject({
  kind: z.literal('io.l5d.static'),
  /** Every one whose prefix matches a bound id applies; of two that say something, the later. */
  configs: z.array(z.strictObject({ prefix: prefixText, ...clientFields })).min(1),
})

export const clientConfig = kinds([global, byPrefix], { otherwise: 'io.l5d.global' })

export type ClientConfig = z.output<typeof clientConfig>
