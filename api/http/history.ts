// The routes of a dtab's past: versions, differences, rollback.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { orThrow } from '../../naming/result.ts'
import { readHistory, readVersion } from '../../storage/history.ts'
import type { Store, VersionSummary } from '../../storage/store.ts'
import type { HttpContext } from './context.ts'
import { metaJson } from './dtab-frames.ts'
import { namespaceParams, versionNumber, wholeNumber } from './dtabs.ts'
import { jsonType } from './media-type.ts'
import { readRollback } from './patch-body.ts'
import { refusedMember } from './refused-text.ts'
import { sendJson } from './send-json.ts'
import { answerWrite, bodyBytes, changeOf, createCheckedEditor, writeQuery } from './write-request.ts'

const maxPage = 100
/** A rollback names a version and nothing else. */
const maxRollbackBytes = 64 * 1024
const defaultPage = 20
const anyVersion = wholeNumber(0)

const historyQuery = z.strictObject({
  before: versionNumber.optional(),
  limit: wholeNumber(1, maxPage).default(defaultPage),
})
const diffQuery = z.strictObject({ from: anyVersion, to: anyVersion.optional() })

/** Adds the routes of versions, differences and rollback. */
export function addHistoryRoutes(app: FastifyInstance, context: HttpContext): void {
  const { codec, refusals } = context
  const { store } = context.ports
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const editor = createCheckedEditor(context)

  const versions = { schema: { params: namespaceParams, querystring: historyQuery } }
  typed.get('/api/dtabs/:namespace/versions', versions, async (request, reply) => {
    const { namespace } = request.params
    const { before, limit } = request.query
    const query = { limit, ...(before !== undefined && { before }) }
    const page = await readHistory(store, namespace, query).catch((error: unknown) => {
      throw refusals.explain(error, namespace)
    })
    const body = {
      namespace,
      versions: page.versions.map(summary),
      ...(page.next !== undefined && { next: page.next }),
      ...refusedMember(refusals.of(namespace)),
    }
    return sendJson(reply, `${JSON.stringify(body)}\n`)
  })

  const diff = { schema: { params: namespaceParams, querystring: diffQuery } }
  typed.get('/api/dtabs/:namespace/diff', diff, async (request, reply) => {
    const { namespace } = request.params
    const to = request.query.to ?? (await presentNumber(store, namespace))
    const { from } = request.query
    const before = await textAt(store, namespace, from)
    const after = await textAt(store, namespace, to)
    const { text } = orThrow(await codec.diff(before, after))
    const about = JSON.stringify({ namespace, from, to })
    return sendJson(reply, `${about.slice(0, -1)},"changes":${text}}\n`)
  })

  const rollback = {
    schema: { params: namespaceParams, querystring: writeQuery },
    config: { bodyTypes: [jsonType] },
    bodyLimit: maxRollbackBytes,
  }
  typed.post('/api/dtabs/:namespace/rollback', rollback, async (request, reply) => {
    const change = await changeOf(context, request, request.params.namespace, request.query.message)
    const version = orThrow(readRollback(bodyBytes(request)))
    return answerWrite(context, reply, { change, wait: request.query }, () => editor.rollback({ ...change, version }))
  })
}

function summary(version: VersionSummary): object {
  const { deleted, bytes } = version
  return { ...metaJson(version), deleted, bytes }
}

/** 0 is the time before the first version. */
async function textAt(store: Store, namespace: string, version: number): Promise<string> {
  if (version === 0) return ''
  return (await readVersion(store, namespace, version)).text ?? ''
}

async function presentNumber(store: Store, namespace: string): Promise<number> {
  const head = await store.head(namespace)
  if (head !== undefined) return head.version
  throw new NamingError('dtab-not-found', `There is no namespace '${namespace}'.`, { detail: { namespace } })
}
