// /api/1/delegate: namerd's explanations, within a namespace or of a dtab alone; 503 after two seconds.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { DelegateRequest } from '../../../interpreters/interpreter.ts'
import { type Dtab, emptyDtab } from '../../../naming/dtab.ts'
import { showDtabJson } from '../../../naming/dtab-json.ts'
import { leaf } from '../../../naming/name-tree.ts'
import { parseDtab, parsePath } from '../../../naming/parse.ts'
import { showPath } from '../../../naming/path.ts'
import type { Cell } from '../../../watch/cell.ts'
import { ok } from '../../../watch/state.ts'
import type { HttpContext } from '../context.ts'
import { decodeUtf8 } from '../dtab-body.ts'
import { readJson } from '../json-reader.ts'
import { jsonType, mediaTypeOf } from '../media-type.ts'
import { settled } from '../settled.ts'
import { delegateIds, delegateTreeJson } from '../trees-json.ts'
import { bodyBytes } from '../write-request.ts'
import { nameOf } from './evaluation.ts'
import { NamerdRefusal, sendBody } from './reply.ts'

/** namerd gives an explanation this long. */
const limitMs = 2_000
/** A body's dtab is parsed in one turn of the event loop. */
const maxBodyBytes = 256 * 1024

/** With the namespace in the path. */
export function delegateIn(
  context: HttpContext,
  namespace: string,
  query: URLSearchParams,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { path, local } = nameOf(namespace, query)
  return explain(context, { namespace, tree: leaf(path), local }, reply)
}

interface Asked {
  readonly namespace?: string
  readonly dtab: string
  readonly path: string
}

/** Without a namespace in the path: the query or a JSON body says it all; the body wins, yet the query needs a path. */
export function delegateAlone(
  context: HttpContext,
  request: FastifyRequest,
  query: URLSearchParams,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (query.get('path') === null) throw new NamerdRefusal(500)
  if (request.method !== 'GET' && request.method !== 'POST') throw new NamerdRefusal(405)
  const asked = request.method === 'POST' ? askedByBody(request) : askedByQuery(query)
  const path = parsePath(asked.path)
  if (!path.ok) throw new NamerdRefusal(400, `Invalid path: ${asked.path} / ${path.error.message}`)
  const { namespace } = asked
  const local = localDtab(asked.dtab)
  return explain(context, { ...(namespace !== undefined && { namespace }), tree: leaf(path.value), local }, reply)
}

function localDtab(text: string): Dtab {
  if (text === '') return emptyDtab
  const parsed = parseDtab(text)
  if (!parsed.ok) throw new NamerdRefusal(400, `Invalid dtab: ${text} / ${parsed.error.message}`)
  return parsed.value
}

function askedByQuery(query: URLSearchParams): Asked {
  const namespace = query.get('namespace')
  return { dtab: query.get('dtab') ?? '', path: query.get('path') ?? '', ...(namespace !== null && { namespace }) }
}

function askedByBody(request: FastifyRequest): Asked {
  if (mediaTypeOf(request.headers['content-type']) !== jsonType) throw new NamerdRefusal(415)
  const body = bodyBytes(request)
  if (body.byteLength > maxBodyBytes) throw new NamerdRefusal(413)
  const text = decodeUtf8(body, 'bad-request')
  const json = text.ok ? readJson(text.value) : text
  if (!json.ok || typeof json.value !== 'object' || json.value === null) throw new NamerdRefusal(400)
  const { namespace, dtab, path }: { namespace?: unknown; dtab?: unknown; path?: unknown } = json.value
  const hasNamespace = namespace !== undefined && namespace !== null
  if (typeof path !== 'string' || typeof dtab !== 'string') throw new NamerdRefusal(400)
  if (hasNamespace && typeof namespace !== 'string') throw new NamerdRefusal(400)
  return { dtab, path, ...(typeof namespace === 'string' && { namespace }) }
}

/** The tree as text, pending while an address of a leaf is. */
function explanationText({ ports }: HttpContext, request: DelegateRequest): Cell<string> {
  const { interpreter, kernel } = ports
  return kernel.derive('http /api/1/delegate', read => {
    const tree = read(interpreter.delegate(request))
    if (tree.kind !== 'ok') return tree
    const addrs = new Map(delegateIds(tree.value).map(id => [showPath(id), read(interpreter.replicas(id))]))
    for (const addr of addrs.values()) if (addr.kind === 'pending') return addr
    const json = delegateTreeJson(tree.value, id => addrs.get(showPath(id)) ?? { kind: 'pending' }, {
      spell: dentry => showDtabJson([dentry])[0] ?? { prefix: '/', dst: '~' },
      tellsWhy: false,
    })
    return ok(JSON.stringify(json))
  })
}

async function explain(context: HttpContext, request: DelegateRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { clock, shutdown } = context.ports
  const cell = explanationText(context, request)
  const state = await settled(cell, ({ kind }) => kind !== 'pending', { clock, limitMs, signal: shutdown })
  if (state.kind === 'ok') return sendBody(reply, state.value, jsonType)
  throw state.kind === 'pending' ? new NamerdRefusal(503, 'Request timed out.') : new NamerdRefusal(500)
}
