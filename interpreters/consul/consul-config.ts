// The configuration of the kind: namerd's keys with namerd's meaning, and ours.
import { z } from 'zod'
import { backendHost } from '../../runtime/backend-host.ts'
import { clientTls } from '../../runtime/client-tls.ts'
import { discoveryOptions, namerOptions } from '../namer-config.ts'
import { healthStatuses } from './instances.ts'

const tagWeight = z.strictObject({
  tag: z.string().min(1),
  weight: z.number().gt(0, 'a weight is above 0; to send nothing to a tag, leave it out by a dtab').lt(1e6),
})

/** Upper or lower case, as in namerd. */
const healthStatus = z
  .string()
  .transform(status => status.toLowerCase())
  .pipe(z.enum(healthStatuses, { error: `one of ${healthStatuses.join(', ')}` }))

export const consulConfig = z.strictObject({
  ...namerOptions('io.l5d.consul'),
  ...discoveryOptions,
  host: backendHost.default('localhost'),
  port: z.int().min(1).max(65_535).default(8500),
  /** Names are `/<datacenter>/<tag>/<service>`. */
  includeTag: z.boolean().default(false),
  useHealthCheck: z.boolean().default(false),
  healthStatuses: z
    .array(healthStatus)
    .min(1, 'at least one of passing, warning, critical, maintenance')
    .default(['passing']),
  token: z.string().min(1, 'an ACL token; leave the key out when there is none').optional(),
  setHost: z.boolean().default(false),
  consistencyMode: z
    .enum(['default', 'stale', 'consistent'], { error: 'one of default, stale, consistent' })
    .default('default'),
  preferServiceAddress: z.boolean().default(true),
  weights: z.array(tagWeight).default([]),
  tls: clientTls.optional(),
  transferMetadata: z.boolean().default(false),
  /** Accepted because namerd has them; they change nothing here. */
  failFast: z.boolean().optional(),
  fixedLengthStreamedAfterKB: z.int().min(0).optional(),
  /** Requests to the agent at once, at most. */
  maxConnections: z.int().min(2).max(10_000).default(180),
  maxNames: z.int().min(1).max(1_000_000).default(10_000),
})

export type ConsulConfig = z.output<typeof consulConfig>
