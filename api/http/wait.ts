// `?wait=` and `timeout=` of writes: how long an answer is held back for the servers or proxies that shall go by the write, and
// what it says of them.
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { EnoughProxies, ProxiesReport } from '../proxies.ts'
import type { AppliedReport, AppliedScope } from '../servers.ts'
import { applied, type Written } from './applied.ts'
import type { HttpContext } from './context.ts'

const defaultTimeoutMs = 5_000
/** More is taken as this much. */
const maxTimeoutMs = 60_000

const duration = z
  .string()
  .regex(/^\d{1,7}(\.\d{1,3})?(ms|s)?$/, 'must be a duration such as 5s, 500ms, or milliseconds')
  .transform(text => Math.min(maxTimeoutMs, Number.parseFloat(text) * (/\ds$/.test(text) ? 1_000 : 1)))

/** Percentages have at most three decimals: in this unit they are whole, and no share is rounded. */
const partsOfWhole = 100_000

const scopeError =
  'must be applied (this server), all (every server), proxies:95% (that share of the proxies that follow names of it, above 0 and up to 100) or proxies:20 (so many of them)'

const waitFor = z.string().transform((text, context): AppliedScope | EnoughProxies => {
  if (text === 'applied' || text === 'all') return text
  const enough = parseEnough(text)
  if (enough !== undefined) return enough
  context.addIssue({ code: 'custom', message: scopeError })
  return z.NEVER
})

/** The members of the query of a write to one dtab. */
export const waitQuery = { wait: waitFor.optional(), timeout: duration.optional() }

/** Those of a write to many, which waits for servers alone. */
export const waitQueryOfMany = {
  wait: z.enum(['applied', 'all'], 'must be applied (this server) or all (every server)').optional(),
  timeout: duration.optional(),
}

/** `proxies:95%` or `proxies:20`; undefined for anything else. */
function parseEnough(text: string): EnoughProxies | undefined {
  const [, percent, count] = /^proxies:(?:(\d{1,3}(?:\.\d{1,3})?)%|(\d{1,7}))$/.exec(text) ?? []
  if (count !== undefined) return Number(count) > 0 ? { count: Number(count) } : undefined
  const share = Math.round(Number(percent) * 1_000) / partsOfWhole
  return share > 0 && share <= 1 ? { share } : undefined
}

/** Without `wait` a timeout would be heeded by nobody. */
export function isTimeoutOfWait({ wait, timeout }: WaitRequest): boolean {
  return wait !== undefined || timeout === undefined
}

export const timeoutWithoutWait = {
  path: ['timeout'],
  error: 'is how long to wait; add wait=applied (this server), wait=all (every server) or wait=proxies:95%',
}

/** What the query of a write to many asked for. */
export interface WaitRequestOfMany {
  readonly wait?: AppliedScope | undefined
  /** Milliseconds. */
  readonly timeout?: number | undefined
}

/** What the query asked for. */
export interface WaitRequest {
  readonly wait?: AppliedScope | EnoughProxies | undefined
  /** Milliseconds. */
  readonly timeout?: number | undefined
}

/** Members of a write's answer. */
export interface WaitAnswer {
  /** Whether all that were asked for go by it: those of `wait`, this server alone without. */
  readonly applied: boolean
  /** Each of them, when `wait` asked for servers. */
  readonly servers?: AppliedReport['servers']
  /** How many of how many have it, when `wait` asked for proxies. */
  readonly proxies?: Omit<ProxiesReport, 'isReached'>
}

/** Holds the answer to many writes back as asked, one after the other within the one timeout; nothing without `wait`. */
export async function waitForMany(
  { ports: { servers, clock, shutdown } }: Pick<HttpContext, 'ports'>,
  reply: FastifyReply,
  writes: readonly Written[],
  { wait, timeout = defaultTimeoutMs }: WaitRequestOfMany,
): Promise<WaitAnswer | undefined> {
  if (wait === undefined) return undefined
  const signal = untilEither(shutdown, reply)
  const deadline = clock.monotonic() + timeout
  const all = new Map<string, { readonly id: string; readonly replied: boolean; readonly applied: boolean }>()
  for (const written of writes) {
    const timeoutMs = Math.max(0, deadline - clock.monotonic())
    const report = await servers.whenApplied({ ...written, scope: wait, timeoutMs, signal })
    for (const { id, replied, applied } of report.servers)
      all.set(id, { id, replied, applied: applied && all.get(id)?.applied !== false })
  }
  const list = [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  return { applied: list.every(({ applied }) => applied), servers: list }
}

/** Aborted when the server stops or the client leaves. */
export function untilEither(shutdown: AbortSignal, reply: FastifyReply): AbortSignal {
  const left = new AbortController()
  reply.raw.once('close', () => left.abort())
  return AbortSignal.any([shutdown, left.signal])
}

type WaitContext = Pick<HttpContext, 'ports' | 'dtabs'>

/** Holds the answer back as asked; ends early when the client leaves. */
export async function waitAsAsked(
  context: WaitContext,
  reply: FastifyReply,
  written: Written,
  { wait, timeout = defaultTimeoutMs }: WaitRequest,
): Promise<WaitAnswer> {
  if (wait === undefined) return { applied: await applied(context, written) }
  const limits = { limitMs: timeout, signal: untilEither(context.ports.shutdown, reply) }
  const isHere = applied(context, written, limits)
  return typeof wait === 'string'
    ? waitForServers(context, written, { scope: wait, isHere, ...limits })
    : waitForProxies(context, written, { enough: wait, isHere, ...limits })
}

interface WaitLimits {
  /** Whether this server goes by it, with all that is open here. */
  readonly isHere: Promise<boolean>
  readonly limitMs: number
  readonly signal: AbortSignal
}

async function waitForServers(
  { ports: { servers } }: WaitContext,
  written: Written,
  { scope, isHere: here, limitMs, signal }: WaitLimits & { readonly scope: AppliedScope },
): Promise<WaitAnswer> {
  const [isHere, report] = await Promise.all([
    here,
    servers.whenApplied({ ...written, scope, timeoutMs: limitMs, signal }),
  ])
  return {
    applied: isHere && report.all,
    servers: report.servers.map(server =>
      server.id === servers.selfId ? { ...server, applied: server.applied && isHere } : server,
    ),
  }
}

async function waitForProxies(
  { ports: { fleet } }: WaitContext,
  written: Written,
  { enough, isHere: here, limitMs, signal }: WaitLimits & { readonly enough: EnoughProxies },
): Promise<WaitAnswer> {
  const [isHere, { isReached, ...counts }] = await Promise.all([
    here,
    fleet.whenApplied({ ...written, enough, timeoutMs: limitMs, signal }),
  ])
  return { applied: isHere && isReached, proxies: counts }
}
