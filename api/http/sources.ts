// The routes of sources: list, one with its names, and the release of losses that are held back.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { orThrow } from '../../naming/result.ts'
import type { SourceName, SourcePage, SourceSummary } from '../sources.ts'
import { authorOf } from './caller.ts'
import type { HttpContext } from './context.ts'
import { wholeNumber } from './dtabs.ts'
import { sendJson } from './send-json.ts'
import { timeText } from './time-text.ts'
import { bodyBytes, reasonQuery } from './write-request.ts'

const maxPage = 1_000
const defaultPage = 100

const sourceParams = z.strictObject({ id: z.string() })
const noQuery = z.strictObject({})
const namesQuery = z.strictObject({
  after: z.string().optional(),
  limit: wholeNumber(1, maxPage).default(defaultPage),
  state: z.enum(['ok', 'pending', 'stale', 'failed', 'held']).optional(),
})

/** Adds the routes under /api/sources. */
export function addSourceRoutes(app: FastifyInstance, { ports }: HttpContext): void {
  const { sources } = ports
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get('/api/sources', { schema: { querystring: noQuery } }, (_request, reply) =>
    sendJson(reply, `${JSON.stringify({ sources: sources.list().map(sourceJson) })}\n`),
  )

  const one = { schema: { params: sourceParams, querystring: namesQuery } }
  typed.get('/api/sources/:id', one, (request, reply) => {
    const { after, limit, state } = request.query
    const query = { limit, ...(after !== undefined && { after }), ...(state !== undefined && { state }) }
    return sendJson(reply, `${JSON.stringify(pageJson(orThrow(sources.names(request.params.id, query))))}\n`)
  })

  const release = { schema: { params: sourceParams, querystring: reasonQuery } }
  typed.post('/api/sources/:id/release', release, (request, reply) => {
    refuseBody(request)
    const author = orThrow(authorOf(request.headers, request.ip))
    const { id } = request.params
    const released = orThrow(sources.release(id, { author, message: request.query.message ?? '' }))
    return sendJson(reply, `${JSON.stringify({ id, released })}\n`)
  })
}

/** Who sends one means to choose among the names; but all are released, and it cannot be taken back. */
function refuseBody(request: FastifyRequest): void {
  const body = bodyBytes(request).toString().trim()
  if (body !== '' && body !== '{}')
    throw new NamingError('bad-request', 'A release takes no body: it publishes every name that the source holds.')
}

function pageJson({ source, names, next }: SourcePage): object {
  return { source: sourceJson(source), names: names.map(nameJson), ...(next !== undefined && { next }) }
}

function sourceJson({ changedAt, contactAt, failingSince, retryAt, guard, ...rest }: SourceSummary): object {
  return {
    ...rest,
    lastChangeAt: instant(changedAt),
    lastContactAt: instant(contactAt),
    failingSince: instant(failingSince),
    nextRetryAt: instant(retryAt),
    guard: guard && { held: guard.held, since: instant(guard.since) },
  }
}

function nameJson({ openedAt, changedAt, contactAt, failingSince, retryAt, heldSince, ...rest }: SourceName): object {
  return {
    ...rest,
    openedAt: instant(openedAt),
    lastChangeAt: instant(changedAt),
    lastContactAt: instant(contactAt),
    failingSince: instant(failingSince),
    nextRetryAt: instant(retryAt),
    heldSince: instant(heldSince),
  }
}

/** What is undefined is left out of JSON. */
function instant(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : timeText(ms)
}
