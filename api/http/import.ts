// POST /api/import: takes an export, namespace by namespace as it comes, and tells what became of each.
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { orThrow } from '../../naming/result.ts'
import { maxExportLineBytes } from '../../proto/export-lines.ts'
import { type ImportOptions, type ImportResult, importNamespace } from '../../storage/import.ts'
import type { Clock } from '../../watch/clock.ts'
import type { Written } from './applied.ts'
import { bodyMs } from './body-time.ts'
import { authorOf, peerAddress } from './caller.ts'
import type { HttpContext } from './context.ts'
import { importGroups } from './import-groups.ts'
import type { ImportLine } from './import-line.ts'
import { ImportWindow } from './import-window.ts'
import { ndjsonType } from './media-type.ts'
import { problemFromError } from './problem.ts'
import { readLines } from './read-lines.ts'
import { sendJson } from './send-json.ts'
import { isTimeoutOfWait, timeoutWithoutWait, type WaitAnswer, waitForMany, waitQueryOfMany } from './wait.ts'

const importQuery = z
  .strictObject({
    existing: z.enum(['refuse', 'skip', 'write']).default('refuse'),
    dryRun: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false),
    ...waitQueryOfMany,
  })
  .refine(isTimeoutOfWait, timeoutWithoutWait)

/** Adds the route, and lets bodies of this media type come as streams. */
export function addImportRoute(app: FastifyInstance, context: HttpContext): void {
  app.addContentTypeParser(ndjsonType, (_request, payload, done) => done(null, payload))
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const post = { schema: { querystring: importQuery }, config: { bodyTypes: [ndjsonType], isBodyStreamed: true } }
  typed.post('/api/import', post, async (request, reply) => {
    const { existing, dryRun } = request.query
    const body = request.raw // the parser above has left it alone
    const by = callerOf(request)
    const options = { store: context.ports.store, existing, isDryRun: dryRun, by }
    try {
      const results = await importAll(context, body, options)
      const spread = dryRun ? undefined : await waitForMany(context, reply, writtenBy(results), request.query)
      return sendJson(reply, answerText(dryRun, results, spread))
    } catch (error) {
      if (!(await readToEnd(body, context.ports.clock))) reply.header('connection', 'close')
      throw error
    }
  })
}

function callerOf({ headers, ip }: Pick<FastifyRequest, 'headers' | 'ip'>): ImportOptions['by'] {
  const address = peerAddress(ip)
  const author = orThrow(authorOf(headers, address ?? 'unknown'))
  return { author, verified: false, ...(address !== undefined && { address }) }
}

/** Without a dry run the first refusal ends it; what came in before stays, and the few that were under way with it. */
async function importAll(
  context: HttpContext,
  body: Readable,
  options: ImportOptions,
): Promise<readonly ImportResult[]> {
  const lines = importLines(context, body)
  const window = new ImportWindow(({ error }) => error !== undefined && !options.isDryRun)
  try {
    for await (const { namespace, versions } of importGroups(lines))
      await window.add(versions, own => importNamespace(namespace, own, options))
    await window.finish()
    return window.results
  } finally {
    await window.settle()
    await lines.return(undefined)
  }
}

async function* importLines({ codec, ports }: HttpContext, body: Readable): AsyncGenerator<ImportLine, undefined> {
  const { clock, store } = ports
  let count = 0
  for await (const bytes of readLines(body, { maxBytes: maxExportLineBytes, clock })) {
    count++
    const read = await codec.readImportLine(bytes, store.maxDtabBytes)
    if (!read.ok) throw atLine(count, read.error)
    yield read.value
  }
  return undefined
}

function atLine(count: number, { code, message, detail }: NamingError): NamingError {
  return new NamingError(code, `Line ${count}: ${message}`, { detail: { ...detail, at: `line ${count}` } })
}

/** A client that is still sending would not hear the answer. False for one that sends on and on. */
async function readToEnd(body: Readable, clock: Pick<Clock, 'after'>): Promise<boolean> {
  if (body.readableEnded || body.destroyed) return true
  return new Promise(resolve => {
    const cancel = clock.after(bodyMs, () => resolve(false))
    const ended = (): void => {
      cancel()
      resolve(true)
    }
    body.once('close', ended)
    body.once('end', ended)
    body.once('error', ended)
    body.resume()
  })
}

/** What servers have to come to. What was here already may have come with an import that broke off, to this server alone. */
function writtenBy(results: readonly ImportResult[]): readonly Written[] {
  return results.flatMap(({ namespace, outcome, version }) =>
    version !== undefined && outcome !== 'skipped' ? [{ namespace, version }] : [],
  )
}

function answerText(dryRun: boolean, results: readonly ImportResult[], spread: WaitAnswer | undefined): string {
  const counts = { imported: 0, identical: 0, written: 0, skipped: 0, refused: 0 }
  for (const { outcome } of results) counts[outcome]++
  const namespaces = results.map(({ namespace, outcome, version, error }) => ({
    namespace,
    outcome,
    ...(version !== undefined && { version }),
    ...(error && { problem: problemFromError(error) }),
  }))
  return `${JSON.stringify({ dryRun, counts, ...spread, namespaces })}\n`
}
