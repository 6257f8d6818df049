// Answers in namerd's manner: a status, perhaps a text, no problem documents.
import type { FastifyReply } from 'fastify'

/** An outcome that is thrown to end a request early. */
export class NamerdRefusal {
  readonly status: number
  readonly body: string

  constructor(status: number, body = '') {
    this.status = status
    this.body = body
  }
}

/** namerd closes the connection on its own failures. */
export function sendRefusal(reply: FastifyReply, { status, body }: NamerdRefusal): FastifyReply {
  if (status === 500) reply.header('connection', 'close')
  return reply.code(status).send(body === '' ? undefined : Buffer.from(body))
}

/** A body, with a Content-Type only when one is given: several of namerd's answers have none. */
export function sendBody(reply: FastifyReply, body: string, contentType?: string): FastifyReply {
  const bytes = Buffer.from(body)
  if (contentType !== undefined) return reply.header('content-type', contentType).send(bytes)
  reply.hijack()
  reply.raw.writeHead(200, { 'content-length': bytes.byteLength })
  reply.raw.end(reply.request.method === 'HEAD' ? undefined : bytes)
  return reply
}
