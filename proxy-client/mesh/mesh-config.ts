// What a configuration may say of linkerd's mesh interpreter; linkerd's names and defaults.
import { z } from 'zod'
import { parsePath } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { refused } from '../settings/refused.ts'

const howToWriteDst = 'write /$/inet/HOST/PORT, or a list of such paths'

/** The address that a path says of itself, as `host:port`. */
function addressOf([first, kind, host = '', port = '', ...rest]: Path): string | undefined {
  if (first !== '$' || kind !== 'inet' || rest.length > 0 || !/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535)
    return undefined
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const server = z.string(howToWriteDst).transform((text, context) => {
  const path = parsePath(text)
  const address = path.ok ? addressOf(path.value) : undefined
  if (address !== undefined) return address
  context.addIssue({ code: 'custom', message: `${text} is no address: ${howToWriteDst}` })
  return z.NEVER
})

const servers = z.preprocess(dst => (Array.isArray(dst) ? dst : [dst]), z.array(server).min(1, howToWriteDst))

/** The one label of a path, which is the namespace. */
const root = z.string().transform((text, context) => {
  const path = parsePath(text)
  const [namespace, ...rest] = path.ok ? path.value : []
  if (namespace !== undefined && rest.length === 0) return namespace
  context.addIssue({ code: 'custom', message: `${text} is not one segment: write / and the namespace` })
  return z.NEVER
})

const seconds = z.number().min(0.01).max(86_400)

const retry = z
  .strictObject({ baseSeconds: seconds.default(1), maxSeconds: seconds.default(600) })
  .refine(({ baseSeconds, maxSeconds }) => baseSeconds <= maxSeconds, {
    path: ['maxSeconds'],
    error: 'maxSeconds is below baseSeconds',
  })

const milliseconds = z.int().min(100).max(3_600_000)

/** Ping of a silent peer, and how long it has to answer. */
const failureThreshold = z.strictObject({
  minPeriodMs: milliseconds.default(5_000),
  closeTimeoutMs: milliseconds.default(6_000),
})

/** Servers that speak io.linkerd.mesh, a namerd among them. */
export const meshInterpreter = z.strictObject({
  kind: z.literal('io.l5d.mesh'),
  /** Servers that hold the same namespaces; one is used at a time. */
  dst: servers,
  root: root.prefault('/default'),
  retry: retry.prefault({}),
  failureThreshold: failureThreshold.prefault({}),
  initialStreamWindowSizeKB: z.int().min(64).max(1_048_576).default(10_240),
  /** Accepted because older configurations of linkerd had to have it. */
  experimental: z.boolean().optional(),
  tls: refused('servers are spoken to in plain HTTP/2; delete the block'),
  transformers: refused("it belongs into the server's configuration (nameplane serve); delete it here"),
})

export type MeshInterpreter = z.output<typeof meshInterpreter>
