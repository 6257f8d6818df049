// What a proxy's admin pages answer, as far as namerctl looks at it. Unknown members are kept for -o json.
import { z } from 'zod'

const figures = {
  requests: z.number(),
  failures: z.number(),
  active: z.number(),
  perSecond: z.number(),
  successRate: z.number().optional(),
  p50Ms: z.number().optional(),
  p95Ms: z.number().optional(),
  p99Ms: z.number().optional(),
}
export type Figures = z.output<z.ZodObject<typeof figures>>

const service = z.looseObject({
  name: z.string(),
  ...figures,
  retries: z.number(),
  budgetExhausted: z.number(),
  budget: z.number().optional(),
})

const client = z.looseObject({
  name: z.string(),
  ...figures,
  requeues: z.number(),
  removals: z.number(),
  connections: z.number(),
  endpoints: z.number(),
  available: z.number(),
  load: z.number(),
})

const router = z.looseObject({
  label: z.string(),
  ...figures,
  proxyFailures: z.record(z.string(), z.number()),
  bindings: z.number(),
  services: z.array(service),
  clients: z.array(client),
})

export const summary = z.looseObject({
  startedAt: z.string(),
  uptimeMs: z.number(),
  processes: z.number(),
  ready: z.looseObject({
    ready: z.boolean(),
    reasons: z.array(
      z.looseObject({ router: z.string().optional(), reason: z.string(), problem: z.string().optional() }),
    ),
  }),
  routers: z.array(router),
})
export type Summary = z.output<typeof summary>

/** By router and bound id. */
export const clientStates = z.record(
  z.string(),
  z.record(
    z.string(),
    z.looseObject({
      endpoints: z.array(
        z.looseObject({
          address: z.string(),
          weight: z.number(),
          load: z.number(),
          state: z.string(),
          latencyMs: z.number().optional(),
        }),
      ),
    }),
  ),
)
export type ClientStates = z.output<typeof clientStates>

export const recentRequests = z.looseObject({
  sampled: z.boolean(),
  requests: z.array(
    z.looseObject({
      router: z.string(),
      startedAt: z.number(),
      ms: z.number(),
      method: z.string(),
      target: z.string(),
      host: z.string().optional(),
      status: z.number(),
      service: z.string().optional(),
      endpoint: z.string().optional(),
      attempts: z.number(),
      failedAt: z.string().optional(),
    }),
  ),
})
export type RecentRequests = z.output<typeof recentRequests>

export const flatMetrics = z.record(z.string(), z.number())
