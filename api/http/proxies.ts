// The route of the fleet: which proxies are connected, to which server, and by which versions they go.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { parseNamespace } from '../../naming/namespace.ts'
import { isBehind, type ProxyNamespace, type ProxyState, parseCursor } from '../proxies.ts'
import type { HttpContext } from './context.ts'
import { wholeNumber } from './dtabs.ts'
import { sendJson } from './send-json.ts'
import { timeText } from './time-text.ts'
import { untilEither } from './wait.ts'

const maxPage = 1_000
const defaultPage = 100

const proxiesQuery = z.strictObject({
  namespace: z
    .string()
    .refine(text => parseNamespace(text).ok, 'is no name of a namespace')
    .optional(),
  behind: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
  after: z
    .string()
    .refine(text => parseCursor(text) !== undefined, 'must be `next` of the page before')
    .optional(),
  limit: wholeNumber(1, maxPage).default(defaultPage),
})

/** Adds /api/proxies. */
export function addProxyRoutes(app: FastifyInstance, { ports }: HttpContext): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get('/api/proxies', { schema: { querystring: proxiesQuery } }, async (request, reply) => {
    const { namespace, behind, after, limit } = request.query
    const query = {
      limit,
      ...(namespace !== undefined && { namespace }),
      ...(behind !== undefined && { isBehind: behind }),
      ...(after !== undefined && { after }),
    }
    const page = await ports.fleet.list(query, untilEither(ports.shutdown, reply))
    const now = ports.clock.now()
    const { proxies, total, behind: late, next, silent } = page
    const body = {
      time: timeText(now),
      total,
      behind: late,
      proxies: proxies.map(proxy => proxyJson(proxy, now)),
      ...(next !== undefined && { next }),
      silent,
    }
    return sendJson(reply, `${JSON.stringify(body)}\n`)
  })
}

function proxyJson(proxy: ProxyState, now: number): object {
  const { ref: _, since, namespaces, lastRefusal, ...rest } = proxy
  return {
    ...rest,
    since: timeText(since),
    isBehind: namespaces.some(isBehind),
    namespaces: namespaces.map(told => namespaceJson(told, now)),
    ...(lastRefusal && { lastRefusal: { ...lastRefusal, at: timeText(lastRefusal.at) } }),
  }
}

function namespaceJson({ behindSince, ...told }: ProxyNamespace, now: number): object {
  if (behindSince === undefined) return told
  return { ...told, behindSince: timeText(behindSince), behindMs: Math.max(0, Math.round(now - behindSince)) }
}
