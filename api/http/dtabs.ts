// The routes of dtabs: list, read, watch, replace, edit, delete.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { orThrow } from '../../naming/result.ts'
import { readVersion } from '../../storage/history.ts'
import type { Version } from '../../storage/store.ts'
import { answerStored } from './answer-frame.ts'
import type { HttpContext } from './context.ts'
import { versionJson } from './dtab-frames.ts'
import { dtabType, jsonType, mediaTypeOf, preferredType, textType } from './media-type.ts'
import { entityTag, readOutcome } from './precondition.ts'
import { withinLimit } from './refuse-early.ts'
import { refusedMember } from './refused-text.ts'
import { sendJson } from './send-json.ts'
import { fromQuery, startWatch, watchQuery } from './start-watch.ts'
import { answerWrite, bodyBytes, changeOf, createCheckedEditor, writeQuery } from './write-request.ts'

/** The grammar is checked before: see refuse-early.ts. */
export const namespaceParams = z.strictObject({ namespace: z.string() })
/** A whole number in a query, in decimal digits and nothing else. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): z.ZodType<number> {
  return z
    .string()
    .regex(/^[0-9]{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(least).max(most))
}

/** A version in a query. */
export const versionNumber = wholeNumber(1)

const listQuery = z.strictObject({
  ...watchQuery,
  deleted: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
})
const readQuery = z
  .strictObject({ ...watchQuery, version: versionNumber.optional() })
  .refine(({ watch, version }) => watch !== true || version === undefined, {
    path: ['version'],
    error: 'cannot be watched, for an old version never changes; leave out version or watch',
  })

/** How long a listing waits for a store that has just been opened. */
const storeWaitMs = 5_000

/** Adds the routes under /api/dtabs but for those of history. */
export function addDtabRoutes(app: FastifyInstance, context: HttpContext): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get('/api/dtabs', { schema: { querystring: listQuery } }, (request, reply) => {
    const cell = context.dtabs.list(request.query.deleted ?? false)
    if (request.query.watch === true) {
      return startWatch(context, request, reply, {
        kind: 'dtabs',
        cell,
        from: fromQuery(request),
        presentVersion: () => 0,
      })
    }
    const { warm, ports } = context
    warm.keep('namespaces', () => ports.store.list())
    warm.keep('refusals', () => ports.store.refusals())
    return answerStored(context, reply, cell, storeWaitMs)
  })
  const read = { schema: { params: namespaceParams, querystring: readQuery } }
  typed.get('/api/dtabs/:namespace', read, (request, reply) => {
    const { namespace } = request.params
    if (request.query.watch === true) return watchDtab(context, request, reply, namespace, fromQuery(request))
    return readDtab(context, request, reply, { namespace, version: request.query.version })
  })
  addWrites(app, context)
}

function addWrites(app: FastifyInstance, context: HttpContext): void {
  const { codec } = context
  const editor = createCheckedEditor(context)
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const schema = { params: namespaceParams, querystring: writeQuery }

  const put = { schema, config: { bodyTypes: [jsonType, dtabType, textType] } }
  typed.put('/api/dtabs/:namespace', put, async (request, reply) => {
    const { namespace } = request.params
    const change = await changeOf(context, request, namespace, request.query.message)
    const mediaType = mediaTypeOf(request.headers['content-type'])
    if (mediaType !== jsonType) orThrow(withinLimit(bodyBytes(request).byteLength, context.ports.store.maxDtabBytes))
    const { text } = orThrow(await codec.decode(bodyBytes(request), mediaType, namespace))
    return answerWrite(context, reply, { change, wait: request.query }, () =>
      editor.put({ ...change, body: { kind: 'text', text } }),
    )
  })
  typed.patch('/api/dtabs/:namespace', { schema, config: { bodyTypes: [jsonType] } }, async (request, reply) => {
    const change = await changeOf(context, request, request.params.namespace, request.query.message)
    const edits = orThrow(await codec.decodeEdits(bodyBytes(request)))
    return answerWrite(context, reply, { change, wait: request.query }, () => editor.patch({ ...change, edits }))
  })
  typed.delete('/api/dtabs/:namespace', { schema }, async (request, reply) => {
    const change = await changeOf(context, request, request.params.namespace, request.query.message)
    return answerWrite(context, reply, { change, wait: request.query }, () => editor.delete(change))
  })
}

interface DtabRead {
  readonly namespace: string
  readonly version: number | undefined
}

async function readDtab(
  { ports, codec, refusals }: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  { namespace, version }: DtabRead,
): Promise<FastifyReply> {
  reply.header('vary', 'Accept')
  const type = preferredType(request.headers.accept, [jsonType, dtabType, textType])
  if (type === undefined) {
    const accepted = [jsonType, dtabType, textType]
    const message = `No media type in Accept is served here; ${accepted.join(', ')} are.`
    throw new NamingError('not-acceptable', message, { detail: { accepted } })
  }
  const found = await presentVersion({ ports }, namespace, version).catch((error: unknown) => {
    throw refusals.explain(error, namespace)
  })
  const tag = entityTag(found.version, type !== jsonType)
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers
  const outcome = orThrow(readOutcome({ ifMatch, ifNoneMatch }, tag))
  if (outcome === 'precondition-failed') {
    const message = `The dtab of '${namespace}' is at version ${found.version}, not the one in If-Match.`
    throw new NamingError('dtab-version-mismatch', message, { detail: { presentVersion: found.version } })
  }
  reply.header('etag', tag)
  if (outcome === 'not-modified') return reply.code(304).send()
  if (type !== jsonType) return reply.header('content-type', `${type}; charset=utf-8`).send(Buffer.from(found.text))
  const { text } = orThrow(await codec.print(found.text, 'json'))
  const refused = version === undefined ? refusedMember(refusals.of(namespace)) : {}
  const about = JSON.stringify({ namespace, ...versionJson(found, ports.store.maxDtabBytes), ...refused })
  return sendJson(reply, `${about.slice(0, -1)},"dtab":${text}}\n`)
}

/** The version asked for, else the newest; a tombstone is no dtab. */
async function presentVersion(
  { ports: { store } }: Pick<HttpContext, 'ports'>,
  namespace: string,
  version: number | undefined,
): Promise<Version & { readonly text: string }> {
  const found = version === undefined ? await store.head(namespace) : await readVersion(store, namespace, version)
  const text = found?.text
  if (found !== undefined && text !== undefined) return { ...found, text }
  if (version !== undefined) {
    throw new NamingError('version-not-found', `Version ${version} of '${namespace}' is a deletion and has no dtab.`)
  }
  const what = found === undefined ? 'does not exist' : `was deleted by ${found.meta.author} (version ${found.version})`
  throw new NamingError('dtab-not-found', `The namespace '${namespace}' ${what}.`, {
    detail: { namespace, ...(found && { presentVersion: found.version, deleted: true }) },
  })
}

function watchDtab(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  namespace: string,
  from: string | undefined,
): FastifyReply {
  const cell = context.dtabs.dtab(namespace)
  const presentVersion = (): number => {
    const frame = cell.peek()
    return frame.kind === 'ok' ? (frame.value.dtabVersion ?? 0) : 0
  }
  return startWatch(context, request, reply, { kind: 'dtab', cell, from, presentVersion })
}
