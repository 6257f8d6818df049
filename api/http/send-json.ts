// JSON text to the wire, as bytes: the framework would add a charset, which JSON does not have.
import type { FastifyReply } from 'fastify'
import { jsonType } from './media-type.ts'

/** Sends text that is JSON already (or another type that has no charset). */
export function sendJson(reply: FastifyReply, text: string, mediaType = jsonType): FastifyReply {
  return reply.header('content-type', mediaType).send(Buffer.from(text))
}
