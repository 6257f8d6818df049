// The parts that all writes share: who, why, on what condition, and how the outcome is told.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { emptyDtab } from '../../naming/dtab.ts'
import { NamingError } from '../../naming/errors.ts'
import { orThrow, success } from '../../naming/result.ts'
import { type Change, createDtabEditor, type DtabEditor } from '../../storage/edit.ts'
import type { Store, WriteResult } from '../../storage/store.ts'
import { authorOf, idempotencyOf, peerAddress } from './caller.ts'
import type { HttpContext } from './context.ts'
import { metaJson, versionJson } from './dtab-frames.ts'
import { entityTag, expectationOf } from './precondition.ts'
import { sendJson } from './send-json.ts'
import {
  isTimeoutOfWait,
  timeoutWithoutWait,
  type WaitAnswer,
  type WaitRequest,
  waitAsAsked,
  waitQuery,
} from './wait.ts'

/** Characters that the reason of a change may have. */
const maxMessageLength = 4_096

const message = z.string().max(maxMessageLength).optional()

/** The query of a request that has a reason. */
export const reasonQuery = z.strictObject({ message })

/** The query of every write of a dtab. */
export const writeQuery = z.strictObject({ message, ...waitQuery }).refine(isTimeoutOfWait, timeoutWithoutWait)

/** Above this many characters what was replaced is not sent along; it can be read by its version. */
const maxReplacedLength = 1024 * 1024

/** An editor for texts that the codec has checked: they are not parsed a second time. The codec does the other large work too. */
export function createCheckedEditor({ ports, codec }: Pick<HttpContext, 'ports' | 'codec'>): DtabEditor {
  return createDtabEditor(ports.store, { parse: () => success(emptyDtab), edit: codec.edit, diff: codec.diffLines })
}

/** The body as it was sent; empty when there is none. */
export function bodyBytes(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
}

/** What the request says of the change, whatever the change is. */
export async function changeOf(
  { ports }: Pick<HttpContext, 'ports'>,
  request: FastifyRequest,
  namespace: string,
  message: string | undefined,
): Promise<Change> {
  const { headers, method, ip } = request
  const body = bodyBytes(request)
  const address = peerAddress(ip)
  const keyed = { method, url: request.originalUrl, body }
  const idempotency = orThrow(await idempotencyOf(headers, keyed, ports.clock))
  return {
    namespace,
    expect: orThrow(expectationOf({ ifMatch: headers['if-match'], ifNoneMatch: headers['if-none-match'] })),
    author: orThrow(authorOf(headers, address ?? 'unknown')),
    verified: false,
    message: message ?? '',
    ...(address !== undefined && { address }),
    ...(idempotency && { idempotency }),
  }
}

/** Writes, and answers with the outcome once this server, or as many as the request asks for, go by it. */
export async function answerWrite(
  context: Pick<HttpContext, 'ports' | 'dtabs'>,
  reply: FastifyReply,
  { change, wait }: { readonly change: Change; readonly wait: WaitRequest },
  write: () => Promise<WriteResult>,
): Promise<FastifyReply> {
  try {
    const result = await write()
    const spread = await waitAsAsked(context, reply, result.written, wait)
    return sendWritten(reply, context.ports.store, result, spread)
  } catch (error) {
    throw asPrecondition(error, change, reply.request.method)
  }
}

/** Methods that change only what exists: without it they are 404, whatever the condition (RFC 9110, 13.2.1). */
const needsPresent = ['PATCH', 'DELETE']

/** Whether the write failed on the condition that the request set, which is 412 whatever the store calls it. */
function asPrecondition(error: unknown, change: Change, method: string): NamingError {
  const known = NamingError.from(error)
  const isRefusedCreate = known.code === 'dtab-exists' && change.expect.kind === 'absent'
  const isMissing =
    known.code === 'dtab-not-found' && change.expect.kind === 'present' && !needsPresent.includes(method)
  if (!isRefusedCreate && !isMissing) return known
  return new NamingError('dtab-version-mismatch', known.message, { cause: known, detail: known.detail })
}

/** 201 when the namespace did not exist before, else 200. */
function sendWritten(reply: FastifyReply, store: Store, result: WriteResult, spread: WaitAnswer): FastifyReply {
  const { written, replaced, repeated } = result
  const isDeletion = written.text === undefined
  const isNew = !isDeletion && replaced?.text === undefined
  if (!isDeletion) reply.header('etag', entityTag(written.version, false))
  const body = {
    namespace: written.namespace,
    ...versionJson(written, store.maxDtabBytes),
    deleted: isDeletion,
    repeated,
    ...spread,
    ...(replaced && {
      replaced: {
        ...metaJson(replaced),
        deleted: replaced.text === undefined,
        bytes: Buffer.byteLength(replaced.text ?? ''),
        ...((replaced.text?.length ?? Number.POSITIVE_INFINITY) <= maxReplacedLength && { text: replaced.text }),
      },
    }),
  }
  return sendJson(reply.code(isNew ? 201 : 200), `${JSON.stringify(body)}\n`)
}
