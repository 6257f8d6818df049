// `?wait=` and `timeout=` of writes: how long an answer is held back for the servers that shall go by the write, and what it
// says of them.
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
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

/** The members of a write's query. */
export const waitQuery = { wait: z.enum(['applied', 'all']).optional(), timeout: duration.optional() }

/** Without `wait` a timeout would be heeded by nobody. */
export function isTimeoutOfWait({ wait, timeout }: WaitRequest): boolean {
  return wait !== undefined || timeout === undefined
}

export const timeoutWithoutWait = {
  path: ['timeout'],
  error: 'is how long to wait; add wait=applied (this server) or wait=all (every server)',
}

/** What the query asked for. */
export interface WaitRequest {
  readonly wait?: AppliedScope | undefined
  /** Milliseconds. */
  readonly timeout?: number | undefined
}

/** Members of a write's answer. */
export interface WaitAnswer {
  /** Whether all that were asked for go by it: those of `wait`, this server alone without. */
  readonly applied: boolean
  /** Each of them, when `wait` was asked for. */
  readonly servers?: AppliedReport['servers']
}

/** Holds the answer to many writes back as asked, one after the other within the one timeout; nothing without `wait`. */
export async function waitForMany(
  { ports: { servers, clock, shutdown } }: Pick<HttpContext, 'ports'>,
  reply: FastifyReply,
  writes: readonly Written[],
  { wait, timeout = defaultTimeoutMs }: WaitRequest,
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
function untilEither(shutdown: AbortSignal, reply: FastifyReply): AbortSignal {
  const left = new AbortController()
  reply.raw.once('close', () => left.abort())
  return AbortSignal.any([shutdown, left.signal])
}

/** Holds the answer back as asked; ends early when the client leaves. */
export async function waitForServers(
  context: Pick<HttpContext, 'ports' | 'dtabs'>,
  reply: FastifyReply,
  written: Written,
  { wait, timeout = defaultTimeoutMs }: WaitRequest,
): Promise<WaitAnswer> {
  if (wait === undefined) return { applied: await applied(context, written) }
  const { servers, shutdown } = context.ports
  const signal = untilEither(shutdown, reply)
  const [isHere, report] = await Promise.all([
    applied(context, written, { limitMs: timeout, signal }),
    servers.whenApplied({ ...written, scope: wait, timeoutMs: timeout, signal }),
  ])
  return {
    applied: isHere && report.all,
    servers: report.servers.map(server =>
      server.id === servers.selfId ? { ...server, applied: server.applied && isHere } : server,
    ),
  }
}
