// The last stop of every error: a problem document for the client, a line in the log when the server is to blame.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod'
import { NamingError } from '../../naming/errors.ts'
import type { HttpContext } from './context.ts'
import { dtabType, jsonType, textType } from './media-type.ts'
import { problemFromError, problemMediaType } from './problem.ts'
import { sendJson } from './send-json.ts'

/** Answers with the error as a problem. */
export function sendProblem(
  context: HttpContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = namingErrorOf(error)
  context.errors.note(known, { method: request.method, route: request.routeOptions.url ?? 'none' })
  const { retryAfterMs } = known.detail
  if (typeof retryAfterMs === 'number') reply.header('retry-after', Math.ceil(retryAfterMs / 1000))
  if (known.code === 'unavailable') reply.header('connection', 'close')
  return sendJson(reply.code(known.httpStatus), `${JSON.stringify(problemFromError(known))}\n`, problemMediaType)
}

/** Any thrown thing as one of our errors: the framework's own are told by their codes. */
export function namingErrorOf(error: unknown): NamingError {
  if (hasZodFastifySchemaValidationErrors(error)) return invalidInput(error.validation, error.validationContext)
  if (!(error instanceof Error) || !('code' in error)) return NamingError.from(error)
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new NamingError('body-too-large', 'The body is larger than any dtab that this store takes.')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return unsupportedMediaType('The Content-Type does not parse.', [jsonType, dtabType, textType])
    case 'FST_ERR_BAD_URL':
      return new NamingError('bad-request', 'The URL is not valid: its percent-encoding does not decode.')
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new NamingError('bad-request', 'The body is not as long as Content-Length says.')
    case 'ECONNRESET':
      return new NamingError('bad-request', 'The connection ended before the whole body had come.')
    default:
      return NamingError.from(error)
  }
}

/** 415, with the types that are taken. */
export function unsupportedMediaType(problem: string, accepted: readonly string[]): NamingError {
  return new NamingError('unsupported-media-type', `${problem} Send ${accepted.join(', ')}.`, { detail: { accepted } })
}

interface Issue {
  readonly instancePath: string
  readonly message?: string
}

function invalidInput(issues: readonly Issue[], context: string | undefined): NamingError {
  const [issue] = issues
  const where = context === 'querystring' ? 'query' : (context ?? 'request')
  const at = issue?.instancePath ?? ''
  const name = at.length <= 1 ? where : `${where} ${at.slice(1)}`
  return new NamingError('bad-request', `${name}: ${issue?.message ?? 'not valid'}`, {
    detail: { at: context === 'body' ? at : at.slice(1) },
  })
}

/** What the HTTP parser refuses by these codes is well formed, but too much. */
const brokenRequests: Readonly<Record<string, NamingError>> = {
  HPE_HEADER_OVERFLOW: new NamingError('headers-too-large', 'The request line and headers are larger than 16 KB.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: new NamingError('body-too-large', 'The extensions of a chunk are too large.'),
  ERR_HTTP_REQUEST_TIMEOUT: new NamingError('request-timeout', 'The request did not arrive whole in time.'),
}
const notHttp = new NamingError('bad-request', 'The request is not valid HTTP.')

/** Bytes that are not an HTTP request: answered on the bare socket, which is then closed. */
export function answerBrokenRequest(error: Error & { readonly code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const problem = problemFromError(brokenRequests[error.code ?? ''] ?? notHttp)
  const body = `${JSON.stringify(problem)}\n`
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\nContent-Type: ${problemMediaType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
