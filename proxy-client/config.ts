// The proxy's configuration in linkerd's shape, put together from the parts that each folder says of itself. What linkerd has
// and we lack is an error that says what to do instead; any other key is an error too.
import { z } from 'zod'
import { bindingCacheConfig } from './cache/binding-cache-config.ts'
import { serverConfig } from './exchange/server-config.ts'
import { identifierConfig } from './identifier/identifier-config.ts'
import { interpreterConfig } from './interpreter-config.ts'
import { lastGoodConfig } from './last-good/last-good-config.ts'
import { clientConfig } from './settings/client-config.ts'
import { pathText } from './settings/path-text.ts'
import { refused } from './settings/refused.ts'
import { serviceConfig } from './settings/service-config.ts'
import { accessLogFields } from './telemetry/access-log-config.ts'
import { telemetryConfig } from './telemetry/telemetry-config.ts'
import { workersConfig } from './workers/workers-config.ts'

const ip = z.union([z.ipv4(), z.ipv6()], { error: 'not an IP address' })
const port = z.int().min(0).max(65_535)
const kilobytes = z.int().min(1).max(1_024)

const server = serverConfig.extend({
  tls: refused('clients are spoken to in plain HTTP; delete the block'),
  announce: refused('servers do not announce themselves; delete the line'),
  timeoutMs: refused('set totalTimeoutMs under service'),
})

const admin = z.strictObject({
  ip: ip.default('127.0.0.1'),
  port: port.default(9990),
  httpIdentifierPort: refused('namerctl delegate tells where a name leads; delete the line'),
  tls: refused('admin pages are plain HTTP; delete the block'),
  security: refused('admin pages change nothing, so that there is nothing to shut off; delete the block'),
  socketOptions: refused('sockets have the options of the system; delete the block'),
  workerThreads: refused('set workers at the top of the file'),
})

/** Keys of linkerd's HTTP router that say nothing here. */
const refusedByRouters = {
  dtab: refused('rules are kept by the server: namerctl dtab put NAMESPACE FILE; delete the key'),
  announcers: refused('servers do not announce themselves; delete the block'),
  compressionLevel: refused('bodies pass as they are; delete the line'),
  tracePropagator: refused('headers of traces pass as they are; delete the block'),
  maxErrResponseKB: refused('bodies pass whatever their size, and our own errors are small; delete the line'),
  maxRequestKB: refused('bodies pass whatever their size; delete the line'),
  maxResponseKB: refused('bodies pass whatever their size; delete the line'),
  maxChunkKB: refused('bodies pass whatever their size; delete the line'),
}

const router = z.strictObject({
  protocol: z.literal('http', { error: 'only http is spoken' }).default('http'),
  label: z.string().min(1).max(100).default('http'),
  servers: z.array(server).min(1).prefault([{}]),
  dstPrefix: pathText.prefault('/svc'),
  identifier: identifierConfig,
  interpreter: interpreterConfig.prefault({ kind: 'nameplane' }),
  /** How long a request waits for a name that is not bound yet. */
  bindingTimeoutMs: z.int().min(1).max(3_600_000).default(10_000),
  bindingCache: bindingCacheConfig.prefault({}),
  client: clientConfig.prefault({}),
  service: serviceConfig.prefault({}),
  /** Of answers to requests whose time is over. */
  timeoutStatus: z.union([z.literal(503), z.literal(504)], { error: 'neither 503 nor 504' }).default(503),
  maxHeadersKB: kilobytes.default(8),
  maxInitialLineKB: kilobytes.default(4),
  /** Bodies up to this size, announced by Content-Length, are kept so that the request can be sent again. */
  streamAfterContentLengthKB: z.int().min(0).max(1_024).default(5),
  streamingEnabled: z
    .literal(true, { error: 'is not supported: bodies are always streamed; delete the line' })
    .optional(),
  /** Of the first hop of a chain; nothing here depends on it. */
  originator: z.boolean().optional(),
  ...accessLogFields,
  ...refusedByRouters,
})

const routers = z
  .array(router)
  .min(1)
  .superRefine((list, context) => {
    const seen = new Set<string>()
    for (const [i, { label }] of list.entries()) {
      if (seen.has(label)) {
        context.addIssue({ code: 'custom', path: [i, 'label'], message: `another router has the label "${label}"` })
      }
      seen.add(label)
    }
  })

/** The whole file; without one, `{}` is a proxy on 4140 in front of a server on this machine. */
export const proxyConfig = z.strictObject({
  admin: admin.prefault({}),
  routers: routers.prefault([{}]),
  telemetry: telemetryConfig.default([]),
  workers: workersConfig,
  lastGood: lastGoodConfig.optional(),
  /** Nobody is told of anybody's usage; accepted because most of linkerd's configurations have it. */
  usage: z.strictObject({ orgId: z.string().optional(), enabled: z.boolean().optional() }).optional(),
  namers: refused("it belongs into the server's configuration (nameplane serve); delete it here"),
})

export type ProxyConfig = z.output<typeof proxyConfig>
export type RouterConfig = ProxyConfig['routers'][number]
