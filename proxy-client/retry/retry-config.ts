// What a configuration may say of retries; linkerd's names and defaults.
import { z } from 'zod'
import { backoffConfig } from './backoff-config.ts'

/** How many requests may be sent once more: a share of all requests of the last `ttlSecs`, and a few in any case. */
export const budgetConfig = z.strictObject({
  ttlSecs: z.int().min(1).max(60).default(10),
  minRetriesPerSec: z.int().min(0).max(1_000_000).default(10),
  /** A share, in spite of its name: 0.2 is one retry for five requests. */
  percentCanRetry: z.number().min(0).max(1_000).default(0.2),
})

export const retriesConfig = z.strictObject({
  budget: budgetConfig.prefault({}),
  backoff: backoffConfig.prefault({ kind: 'constant' }),
})

export type BudgetConfig = z.output<typeof budgetConfig>
export type RetriesConfig = z.output<typeof retriesConfig>
