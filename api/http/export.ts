// GET /api/export: every version of every namespace, as a stream of lines that an import takes.
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import { orThrow } from '../../naming/result.ts'
import {
  type ExportedVersion,
  encodeExportHeader,
  encodeExportTrailer,
  exportedVersionPieces,
} from '../../proto/export-lines.ts'
import { type ExportOptions, exportVersions } from '../../storage/export.ts'
import type { NamespaceSummary, Version } from '../../storage/store.ts'
import { nextTurn } from '../../watch/pause.ts'
import type { State } from '../../watch/state.ts'
import type { ApiPorts } from '../ports.ts'
import type { HttpContext } from './context.ts'
import { ndjsonType } from './media-type.ts'
import { settled } from './settled.ts'

/** Lines are sent together up to so many characters. */
const chunkLength = 32 * 1024
const storeWaitMs = 5_000

const exportQuery = z.strictObject({
  namespace: z.union([z.string(), z.array(z.string())]).optional(),
  history: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(true),
})

/** Adds the route. An error after the first byte cuts the answer off before its last line. */
export function addExportRoute(app: FastifyInstance, { ports, errors }: HttpContext): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get('/api/export', { schema: { querystring: exportQuery } }, async (request, reply) => {
    const { namespace, history } = request.query
    const wanted = namespace === undefined ? undefined : [namespace].flat()
    const namespaces = chosen(await listed(ports), wanted)
    reply.header('content-type', ndjsonType).header('cache-control', 'no-store')
    if (request.method === 'HEAD') return reply.send()
    const chunks = exportChunks(ports, { store: ports.store, namespaces, hasHistory: history })
    const body = Readable.from(chunks, { objectMode: false })
    body.once('error', error => {
      if (reply.raw.headersSent) errors.note(NamingError.from(error), { method: 'GET', route: '/api/export' })
    })
    return reply.send(body)
  })
}

/** A listing that may be old would make an export that lacks namespaces and does not show it. */
async function listed({ store, clock, shutdown }: ApiPorts): Promise<readonly NamespaceSummary[]> {
  const limits = { clock, limitMs: storeWaitMs, signal: shutdown }
  const state = await settled(store.list(), isFresh, limits)
  if (state.kind === 'failed') throw state.error
  if (state.kind === 'ok' && state.stale !== undefined)
    throw new NamingError('store-unavailable', 'The store is away, and what is known of its namespaces may be old.')
  if (state.kind === 'ok') return state.value
  throw new NamingError('store-unavailable', `The store has not answered within ${storeWaitMs} ms.`)
}

const isFresh = (state: State<readonly NamespaceSummary[]>): boolean =>
  state.kind === 'failed' || (state.kind === 'ok' && state.stale === undefined)

function chosen(all: readonly NamespaceSummary[], wanted: readonly string[] | undefined): readonly NamespaceSummary[] {
  if (wanted === undefined) return all
  for (const name of wanted) orThrow(parseNamespace(name))
  const known = new Map(all.map(summary => [summary.namespace, summary]))
  const missing = wanted.find(name => !known.has(name))
  if (missing !== undefined)
    throw new NamingError('dtab-not-found', `There is no namespace '${missing}'.`, { detail: { namespace: missing } })
  return [...new Set(wanted)].sort().flatMap(name => known.get(name) ?? [])
}

async function* exportChunks({ clock, shutdown }: ApiPorts, options: ExportOptions): AsyncGenerator<string> {
  let chunk = encodeExportHeader({ exportedAt: clock.now(), from: `nameplane, ${options.store.kind}` })
  let namespace: string | undefined
  const counts = { namespaces: 0, versions: 0 }
  for await (const version of exportVersions(options)) {
    if (shutdown.aborted) throw new NamingError('unavailable', 'The server is stopping.')
    counts.versions++
    if (version.namespace !== namespace) counts.namespaces++
    namespace = version.namespace
    for (const piece of exportedVersionPieces(exportedFromVersion(version))) {
      chunk += piece
      if (chunk.length < chunkLength) continue
      yield chunk
      chunk = ''
      await nextTurn(clock)
    }
  }
  yield chunk + encodeExportTrailer(counts)
}

function exportedFromVersion({ namespace, version, text, meta }: Version): ExportedVersion {
  return { namespace, version, ...meta, ...(text !== undefined && { text }) }
}
