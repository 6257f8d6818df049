// What the HTTP API answers, as far as namerctl looks at it (openapi.yaml). Unknown members are kept for -o json.
import { z } from 'zod'

const versionMeta = {
  version: z.number(),
  author: z.string(),
  message: z.string(),
  time: z.string(),
  address: z.string().optional(),
}

export const dentry = z.object({ prefix: z.string(), dst: z.string() })
export type DentryText = z.output<typeof dentry>

export const change = z.object({
  change: z.enum(['added', 'removed']),
  index: z.number(),
  prefix: z.string(),
  dst: z.string(),
})
export type Change = z.output<typeof change>

export const refused = z.looseObject({
  reason: z.string(),
  line: z.number().optional(),
  column: z.number().optional(),
  since: z.string(),
})
export type Refused = z.output<typeof refused>

const summary = z.looseObject({
  namespace: z.string(),
  ...versionMeta,
  deleted: z.boolean().optional(),
  refused: refused.optional(),
})

export const namespaceList = z.looseObject({
  namespaces: z.array(summary).optional(),
  refused: z.array(refused.extend({ namespace: z.string() })).optional(),
  pending: z.looseObject({}).optional(),
})

export type NamespaceList = z.output<typeof namespaceList>

export const dtabDocument = z.looseObject({
  namespace: z.string(),
  ...versionMeta,
  dtab: z.array(dentry),
  refused: refused.optional(),
})

export const versionList = z.looseObject({
  namespace: z.string(),
  versions: z.array(z.looseObject({ ...versionMeta, deleted: z.boolean(), parent: z.number(), bytes: z.number() })),
  next: z.number().optional(),
  refused: refused.optional(),
})
export type VersionList = z.output<typeof versionList>

export const dtabDiff = z.looseObject({ from: z.number(), to: z.number(), changes: z.array(change) })

const silentServers = z.array(z.looseObject({ id: z.string(), error: z.string() }))

/** Which servers go by what was written, or how many proxies have it, in every answer to a write. */
const spread = {
  applied: z.boolean().optional(),
  servers: z
    .array(
      z.looseObject({ id: z.string(), replied: z.boolean(), applied: z.boolean(), version: z.number().optional() }),
    )
    .optional(),
  proxies: z.looseObject({ total: z.number(), applied: z.number(), silent: silentServers }).optional(),
}
export type Spread = Pick<WriteResult, keyof typeof spread>

export const writeResult = z.looseObject({
  namespace: z.string(),
  ...versionMeta,
  deleted: z.boolean(),
  replaced: z.looseObject({ ...versionMeta, deleted: z.boolean() }).optional(),
  ...spread,
})
export type WriteResult = z.output<typeof writeResult>

const addrMeta = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))

export const addr = z.looseObject({
  type: z.enum(['bound', 'neg', 'pending', 'failed']),
  addrs: z.array(z.looseObject({ ip: z.string(), port: z.number(), meta: addrMeta })).optional(),
  cause: z.string().optional(),
})
export type Addr = z.output<typeof addr>

const bound = z.looseObject({ addr, id: z.string(), path: z.string() })
const weight = z.union([z.number(), z.literal('Infinity')])

/** A bound tree or an explanation: the first has no paths, dentries, delegations. */
export interface TreeAnswer {
  readonly type: string
  readonly path?: string | undefined
  readonly dentry?: DentryText | undefined
  readonly message?: string | undefined
  readonly why?: string | undefined
  readonly name?: string | undefined
  readonly bound?: z.output<typeof bound> | undefined
  readonly delegate?: TreeAnswer | undefined
  readonly tree?: TreeAnswer | undefined
  readonly alt?: readonly TreeAnswer[] | undefined
  readonly union?: readonly { readonly weight: number | 'Infinity'; readonly tree: TreeAnswer }[] | undefined
}

export const treeAnswer: z.ZodType<TreeAnswer> = z.lazy(() =>
  z.looseObject({
    type: z.string(),
    path: z.string().optional(),
    dentry: dentry.optional(),
    message: z.string().optional(),
    why: z.string().optional(),
    name: z.string().optional(),
    bound: bound.optional(),
    delegate: treeAnswer.optional(),
    tree: treeAnswer.optional(),
    alt: z.array(treeAnswer).optional(),
    union: z.array(z.looseObject({ weight, tree: treeAnswer })).optional(),
  }),
)

const evaluated = {
  namespace: z.string().optional(),
  namespaceExists: z.boolean().optional(),
  stale: z.looseObject({ since: z.string(), reason: z.string() }).optional(),
  pending: z.looseObject({ waitingFor: z.string().optional() }).optional(),
  tree: treeAnswer.optional(),
  addr: addr.optional(),
}

/** What bind, resolve and delegate answer: a tree or an address, unless it is pending. */
export const evaluation = z.looseObject({ ...evaluated, dtabVersion: z.number(), hash: z.string() })
export type Evaluation = z.output<typeof evaluation>

const sourceNameState = z.enum(['ok', 'pending', 'stale', 'failed', 'held'])

export const source = z.looseObject({
  id: z.string(),
  kind: z.string(),
  prefix: z.string().optional(),
  state: z.string(),
  counts: z.looseObject({
    total: z.number(),
    ok: z.number(),
    pending: z.number(),
    stale: z.number(),
    failed: z.number(),
    held: z.number(),
  }),
  oldestAgeMs: z.number().optional(),
  failingSince: z.string().optional(),
  lastError: z.string().optional(),
  guard: z.looseObject({ held: z.number(), since: z.string().optional() }).optional(),
})
export type Source = z.output<typeof source>

export const sourceList = z.looseObject({ sources: z.array(source) })

const sourceName = z.looseObject({
  name: z.string(),
  state: sourceNameState,
  observers: z.number(),
  ageMs: z.number().optional(),
  lastChangeAt: z.string().optional(),
  version: z.string().optional(),
  failingSince: z.string().optional(),
  lastError: z.string().optional(),
  heldSince: z.string().optional(),
})
export type SourceNameRow = z.output<typeof sourceName>

export const sourcePage = z.looseObject({ source, names: z.array(sourceName), next: z.string().optional() })
export type SourcePage = z.output<typeof sourcePage>

export const releaseResult = z.looseObject({ id: z.string(), released: z.number() })

export const serverList = z.looseObject({
  servers: z.array(
    z.looseObject({
      id: z.string(),
      isSelf: z.boolean(),
      address: z.string().optional(),
      version: z.string(),
      replies: z.boolean(),
      error: z.string().optional(),
      since: z.string(),
      namespaces: z.number(),
    }),
  ),
  disagreements: z.array(
    z.looseObject({ namespace: z.string(), since: z.string(), versions: z.record(z.string(), z.number()) }),
  ),
  disagreementCount: z.number(),
  stale: z.looseObject({ since: z.string(), reason: z.string() }).optional(),
})
export type ServerList = z.output<typeof serverList>

const proxyNamespace = z.looseObject({
  namespace: z.string(),
  names: z.number(),
  version: z.number(),
  newest: z.number(),
  behindMs: z.number().optional(),
})
export type ProxyNamespace = z.output<typeof proxyNamespace>

const connectedProxy = z.looseObject({
  id: z.string(),
  server: z.string(),
  protocol: z.string(),
  confirms: z.boolean(),
  address: z.string(),
  since: z.string(),
  namespaces: z.array(proxyNamespace),
  namespaceCount: z.number(),
  refusals: z.number(),
  lastRefusal: z.looseObject({ name: z.string(), reason: z.string(), at: z.string() }).optional(),
})
export type ConnectedProxy = z.output<typeof connectedProxy>

export const proxyList = z.looseObject({
  /** Of the answer, by the server's clock. */
  time: z.string(),
  total: z.number(),
  behind: z.number(),
  proxies: z.array(connectedProxy),
  next: z.string().optional(),
  silent: silentServers,
})
export type ProxyList = z.output<typeof proxyList>

/** RFC 9457, with this API's members. */
export const problem = z.looseObject({
  status: z.number(),
  code: z.string().optional(),
  title: z.string().optional(),
  detail: z.string().optional(),
  line: z.number().optional(),
  column: z.number().optional(),
  expected: z.string().optional(),
  at: z.string().optional(),
  presentVersion: z.number().optional(),
  refused: refused.optional(),
  deleted: z.boolean().optional(),
  author: z.string().optional(),
  time: z.string().optional(),
  message: z.string().optional(),
  diff: z.looseObject({ text: z.string(), isCut: z.boolean() }).optional(),
})
export type Problem = z.output<typeof problem>

export const importReport = z.looseObject({
  dryRun: z.boolean(),
  counts: z.object({
    imported: z.number(),
    identical: z.number(),
    written: z.number(),
    skipped: z.number(),
    refused: z.number(),
  }),
  namespaces: z.array(z.looseObject({ namespace: z.string(), outcome: z.string(), problem: problem.optional() })),
  ...spread,
})
export type ImportReport = z.output<typeof importReport>

/** Any event of a stream, with what the streams of dtabs and evaluations say in it. */
export const watchEvent = z.looseObject({
  ...evaluated,
  type: z.enum(['state', 'deleted', 'heartbeat']),
  dtabVersion: z.number(),
  hash: z.string(),
  problem: problem.optional(),
  dtab: z.array(dentry).optional(),
  author: z.string().optional(),
  time: z.string().optional(),
})
export type WatchEvent = z.output<typeof watchEvent>
