// The `service` key of a router: one setting for all logical names, or several by prefix. Knows no service.
import { z } from 'zod'
import { classifierConfig } from '../classifier/classifier-config.ts'
import { backoffConfig } from '../retry/backoff-config.ts'
import { budgetConfig } from '../retry/retry-config.ts'
import { kinds } from './kinds.ts'
import { prefixText } from './prefix-pattern.ts'
import { refused } from './refused.ts'

/** What may be said of a service; what is not said is left to other prefixes and the defaults. */
const serviceFields = {
  responseClassifier: classifierConfig.optional(),
  retries: z.strictObject({ budget: budgetConfig.optional(), backoff: backoffConfig.optional() }).optional(),
  totalTimeoutMs: z.int().min(1).max(86_400_000).optional(),
  classificationTimeoutMs: refused('an answer is judged by its status at once; delete the line'),
  retryBufferSize: refused('it is of HTTP/2; delete the block'),
}

const global = z.strictObject({ kind: z.literal('io.l5d.global'), ...serviceFields })
const byPrefix = z.strictObject({
  kind: z.literal('io.l5d.static'),
  /** Every one whose prefix matches a name applies; of two that say something, the later. */
  configs: z.array(z.strictObject({ prefix: prefixText, ...serviceFields })).min(1),
})

export const serviceConfig = kinds([global, byPrefix], { otherwise: 'io.l5d.global' })

export type ServiceConfig = z.output<typeof serviceConfig>
