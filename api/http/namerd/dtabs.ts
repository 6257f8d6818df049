// /api/1/dtabs: namerd's store resources, with its statuses, texts and quirks.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { NamingError } from '../../../naming/errors.ts'
import { parseNamespace } from '../../../naming/namespace.ts'
import type { DtabEditor } from '../../../storage/edit.ts'
import type { Expectation, Version, WriteResult } from '../../../storage/store.ts'
import { relayGroup } from '../../../watch/cell.ts'
import type { State } from '../../../watch/state.ts'
import { applied } from '../applied.ts'
import { peerAddress } from '../caller.ts'
import type { HttpContext } from '../context.ts'
import { dtabType, jsonType, mediaTypeOf, misreadAs, textType } from '../media-type.ts'
import { bodyBytes, createCheckedEditor } from '../write-request.ts'
import { wholeAnswer } from './evaluation.ts'
import { printedDtab } from './printed-dtab.ts'
import { NamerdRefusal, sendBody } from './reply.ts'
import { streamLines } from './stream.ts'
import { versionsFromText, versionText } from './version-text.ts'

const knownTypes = [jsonType, dtabType, textType]

/** The first type in Accept that namerd knows, whatever its quality; JSON when there is none. */
export function acceptedType(accept: string | undefined): string {
  const listed = (accept ?? '').split(',').map(mediaTypeOf)
  return listed.find(type => knownTypes.includes(type)) ?? jsonType
}

/** Any method: the names, sorted. */
export async function listDtabs(
  { ports, streams }: HttpContext,
  reply: FastifyReply,
  isWatch: boolean,
): Promise<FastifyReply> {
  const cell = ports.kernel.derive('http /api/1/dtabs', read => {
    const list = read(ports.store.list())
    if (list.kind !== 'ok') return list
    const names = list.value.filter(({ deleted }) => !deleted).map(({ namespace }) => namespace)
    return { kind: 'ok', value: JSON.stringify(names) }
  })
  const lineOf = (state: State<string>): string | undefined | Error => {
    if (state.kind === 'failed') return state.error
    return state.kind === 'ok' ? state.value : undefined
  }
  if (isWatch) return streamLines(reply, streams, { kind: 'namerd-dtabs', cell, lineOf, contentType: jsonType })
  const state = await wholeAnswer(cell, ports, reply)
  if (state.kind !== 'ok') throw new NamerdRefusal(500)
  return sendBody(reply, `${state.value}\n`, jsonType)
}

/** Which handler a method has; the rest is 404. */
export function dtabRoutes(
  context: HttpContext,
): (request: FastifyRequest, reply: FastifyReply, ns: string, isWatch: boolean) => Promise<FastifyReply> {
  const editor = createCheckedEditor(context)
  return async (request, reply, namespace, isWatch) => {
    if (!['GET', 'HEAD', 'POST', 'PUT', 'DELETE'].includes(request.method)) throw new NamerdRefusal(404)
    if (!parseNamespace(namespace).ok) throw new NamerdRefusal(400)
    switch (request.method) {
      case 'GET':
        return isWatch ? watchDtab(context, request, reply, namespace) : getDtab(context, request, reply, namespace)
      case 'HEAD':
        return headDtab(context, reply, namespace)
      case 'DELETE':
        return write(context, reply, () => editor.delete(changeOf(request, namespace, { kind: 'anything' })))
      default:
        return putDtab(context, editor, request, reply, namespace)
    }
  }
}

async function existing({ ports }: HttpContext, namespace: string): Promise<Version & { readonly text: string }> {
  const head = await ports.store.head(namespace)
  const text = head?.text
  if (head === undefined || text === undefined) throw new NamerdRefusal(404)
  return { ...head, text }
}

async function getDtab(
  context: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  namespace: string,
): Promise<FastifyReply> {
  const head = await existing(context, namespace)
  const type = acceptedType(request.headers.accept)
  const printed = await printedDtab(context.codec, head.text, type)
  reply.header('etag', versionText(head.version))
  return sendBody(reply, `${printed}\n`, type)
}

async function headDtab(context: HttpContext, reply: FastifyReply, namespace: string): Promise<FastifyReply> {
  const head = await existing(context, namespace)
  return reply.header('etag', versionText(head.version)).header('connection', 'close').send()
}

/** A chunk for each version; nothing while the namespace does not exist. */
function watchDtab(
  { ports, streams, codec }: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  namespace: string,
): FastifyReply {
  const contentType = acceptedType(request.headers.accept)
  const cell = ports.kernel.source<{ readonly version: number; readonly line: string }>(
    `http /api/1/dtabs/${namespace}`,
    sink => {
      let newest = 0
      const unwatch = ports.store.observe(namespace).watch(state => {
        if (state.kind === 'failed') sink.fail(state.error)
        if (state.kind !== 'ok' || state.value?.text === undefined) return
        const turn = ++newest
        const { version, text } = state.value
        const print = async (): Promise<void> => {
          const line = await printedDtab(codec, text, contentType)
          if (turn === newest) sink.set({ version, line })
        }
        print().catch(error => sink.fail(NamingError.from(error)))
      })
      return () => {
        newest++
        unwatch()
      }
    },
    { equals: (a, b) => a.version === b.version && a.line === b.line, group: relayGroup },
  )
  return streamLines(reply, streams, {
    kind: 'namerd-dtab',
    cell,
    contentType,
    lineOf: state => {
      if (state.kind === 'failed') return state.error
      return state.kind === 'ok' ? state.value.line : undefined
    },
  })
}

interface NamerdChange {
  readonly namespace: string
  readonly expect: Expectation
  readonly author: string
  readonly verified: false
  readonly message: string
  readonly address?: string
}

function changeOf(request: FastifyRequest, namespace: string, expect: Expectation): NamerdChange {
  const address = peerAddress(request.ip)
  const change = { namespace, expect, author: address ?? 'unknown', verified: false, message: '' } as const
  return address === undefined ? change : { ...change, address }
}

/** PUT explains what is wrong with a text, POST and JSON do not. */
async function putDtab(
  context: HttpContext,
  editor: DtabEditor,
  request: FastifyRequest,
  reply: FastifyReply,
  namespace: string,
): Promise<FastifyReply> {
  const isCreate = request.method === 'POST'
  const header = request.headers['content-type']
  const type = mediaTypeOf(header)
  if (!knownTypes.includes(type)) {
    throw new NamerdRefusal(400, isCreate ? '' : `Invalid Content-Type "${header ?? ''}". `)
  }
  if (misreadAs({ 'content-encoding': request.headers['content-encoding'] }) !== undefined) throw new NamerdRefusal(415)
  const body = bodyBytes(request)
  const decoded = await context.codec.decode(body, type, namespace)
  if (!decoded.ok) throw bodyRefusal(decoded.error, { body, isCreate, isText: type !== jsonType })
  const expect: Expectation = isCreate ? { kind: 'absent' } : expectationOf(request.headers['if-match'])
  const { text } = decoded.value
  return write(context, reply, () =>
    editor.put({ ...changeOf(request, namespace, expect), body: { kind: 'text', text } }),
  )
}

interface RefusedBody {
  readonly body: Buffer
  readonly isCreate: boolean
  readonly isText: boolean
}

function bodyRefusal(error: NamingError, { body, isCreate, isText }: RefusedBody): NamerdRefusal {
  if (error.httpStatus !== 400) return new NamerdRefusal(error.httpStatus)
  if (isText) return new NamerdRefusal(400, isCreate ? '' : error.message)
  const isNullEntry = /^\s*\[\s*null\s*\]\s*$/.test(body.toString('utf8', 0, 64))
  return new NamerdRefusal(400, isNullEntry ? 'The dtab contains invalid dentries: [null]' : '')
}

function expectationOf(ifMatch: string | undefined): Expectation {
  if (ifMatch === undefined) return { kind: 'anything' }
  const versions = versionsFromText(ifMatch)
  if (versions === undefined) throw new NamerdRefusal(500)
  return { kind: 'version', versions }
}

async function write(
  context: HttpContext,
  reply: FastifyReply,
  run: () => Promise<WriteResult>,
): Promise<FastifyReply> {
  try {
    await applied(context, (await run()).written)
  } catch (error) {
    throw storeRefusal(NamingError.from(error))
  }
  return reply.code(204).send()
}

/** A version that was expected of a namespace which is not there is 404, as namerd has it. */
function storeRefusal(error: NamingError): unknown {
  if (error.code === 'dtab-version-mismatch') {
    const { presentVersion, deleted } = error.detail
    return new NamerdRefusal(presentVersion === 0 || deleted === true ? 404 : 412)
  }
  return error.httpStatus >= 500 ? error : new NamerdRefusal(error.httpStatus)
}
