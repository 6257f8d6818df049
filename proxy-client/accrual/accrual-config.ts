// What a configuration may say of endpoints that fail; linkerd's kinds and names.
import { z } from 'zod'
import { backoffConfig } from '../retry/backoff-config.ts'

/** How long an endpoint is left alone; absent for equal jitter from 5 s up to 300 s, which no kind of backoff gives. */
const backoff = backoffConfig.optional()
const successRate = z.number().min(0).max(1)

const consecutiveFailures = z.strictObject({
  kind: z.literal('io.l5d.consecutiveFailures'),
  failures: z.int().min(1).max(1_000_000).default(5),
  backoff,
})

const overRequests = z.strictObject({
  kind: z.literal('io.l5d.successRate'),
  successRate,
  requests: z.int().min(1).max(1_000_000),
  backoff,
})

const overTime = z.strictObject({
  kind: z.literal('io.l5d.successRateWindowed'),
  successRate,
  /** Seconds. */
  window: z.int().min(1).max(86_400),
  backoff,
})

const none = z.strictObject({ kind: z.literal('none') })

export const accrualConfig = z.discriminatedUnion('kind', [consecutiveFailures, overRequests, overTime, none])

export type AccrualConfig = z.output<typeof accrualConfig>
