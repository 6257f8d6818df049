// The proxy's configuration in linkerd's shape. Only what works is accepted; any other key is an error.
import { z } from 'zod'
import { parsePath } from '../naming/parse.ts'
import { classifierConfig } from './classifier/http-classifiers.ts'
import { headerTokenConfig } from './identifier/header-token.ts'

const ip = z.union([z.ipv4(), z.ipv6()], { error: 'not an IP address' })
const port = z.int().min(0).max(65_535)
const milliseconds = z.int().min(1).max(3_600_000)

/** Text of a path, kept as its labels. */
const path = z.string().transform((text, context) => {
  const parsed = parsePath(text)
  if (parsed.ok) return parsed.value
  context.addIssue({ code: 'custom', message: parsed.error.message })
  return z.NEVER
})

const address = z
  .string()
  .regex(/^(?:\[[0-9A-Fa-f:.]+\]|[^:[\]/\s]+):[0-9]{1,5}$/, { error: 'not host:port', abort: true })
  .refine(text => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'the port is above 65535')

const namespace = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/, 'not a namespace')

const server = z.strictObject({ ip: ip.default('127.0.0.1'), port: port.default(4140) })

const interpreter = z.strictObject({
  kind: z.literal('nameplane'),
  /** gRPC addresses of servers that hold the same namespaces; one is used at a time. */
  addresses: z.array(address).min(1).default(['127.0.0.1:4321']),
  namespace: namespace.default('default'),
})

const balancer = z.strictObject({ kind: z.literal('p2c'), maxEffort: z.int().min(1).max(100).default(5) })

const client = z.strictObject({
  kind: z.literal('io.l5d.global').default('io.l5d.global'),
  loadBalancer: balancer.prefault({ kind: 'p2c' }),
  clientSession: z
    .strictObject({ connectTimeoutMs: milliseconds.default(1_000), idleTimeMs: milliseconds.default(60_000) })
    .prefault({}),
})

const service = z.strictObject({
  kind: z.literal('io.l5d.global').default('io.l5d.global'),
  responseClassifier: classifierConfig.prefault({ kind: 'io.l5d.http.nonRetryable5XX' }),
})

/** How many names and clients are kept, and for how long when nobody asks for them. */
const bindingCache = z.strictObject({
  paths: z.int().min(1).max(1_000_000).default(1_000),
  clients: z.int().min(1).max(1_000_000).default(1_000),
  idleTtlSecs: z.int().min(1).max(86_400).default(600),
})

const router = z.strictObject({
  protocol: z.literal('http').default('http'),
  label: z.string().min(1).max(100).default('http'),
  servers: z.array(server).min(1).prefault([{}]),
  dstPrefix: path.prefault('/svc'),
  identifier: headerTokenConfig.prefault({ kind: 'io.l5d.header.token' }),
  interpreter: interpreter.prefault({ kind: 'nameplane' }),
  bindingTimeoutMs: milliseconds.default(10_000),
  bindingCache: bindingCache.prefault({}),
  client: client.prefault({}),
  service: service.prefault({}),
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

/** Metrics in Prometheus' form are always served; the entry is accepted so that a linkerd configuration starts. */
const telemetry = z.array(z.strictObject({ kind: z.literal('io.l5d.prometheus') }))

/** The whole file; without one, `{}` is a proxy on 4140 in front of a server on this machine. */
export const proxyConfig = z.strictObject({
  admin: z.strictObject({ ip: ip.default('127.0.0.1'), port: port.default(9990) }).prefault({}),
  routers: routers.prefault([{}]),
  telemetry: telemetry.default([]),
})

export type ProxyConfig = z.output<typeof proxyConfig>
export type RouterConfig = ProxyConfig['routers'][number]
