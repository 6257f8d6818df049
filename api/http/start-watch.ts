// From a request with `watch=true` to a stream.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Cell } from '../../watch/cell.ts'
import type { HttpContext } from './context.ts'
import type { Frame } from './frame.ts'
import { eventStreamType, ndjsonType, preferredType } from './media-type.ts'
import type { StreamKind } from './stream-metrics.ts'
import { streamFrames } from './watch-stream.ts'

const hashPattern = /^[0-9a-f]{16}$/

/** The query of a resource that can be watched. */
export const watchQuery = {
  watch: z.stringbool({ truthy: ['true'], falsy: ['false'] }).optional(),
  from: z.string().regex(hashPattern, 'must be 16 hex digits').optional(),
}

export interface Watched {
  readonly kind: StreamKind
  readonly cell: Cell<Frame>
  /** Where the first frame comes from, when another cell has it fresher. */
  readonly first?: Cell<Frame>
  readonly from: string | undefined
  readonly presentVersion: () => number
}

type WatchRequest = Pick<FastifyRequest, 'headers'> & { readonly query: { readonly from?: string | undefined } }

/** The hash that the client holds, by query or by the header of a browser that reconnects. */
export function fromQuery(request: WatchRequest): string | undefined {
  const last = request.headers['last-event-id']
  return request.query.from ?? (typeof last === 'string' && hashPattern.test(last) ? last : undefined)
}

/** Takes the response over; a HEAD gets the headers only. */
export function startWatch(
  { ports, streams }: HttpContext,
  request: FastifyRequest,
  reply: FastifyReply,
  watched: Watched,
): FastifyReply {
  const format = preferredType(request.headers.accept, [ndjsonType, eventStreamType]) ?? ndjsonType
  if (request.method === 'HEAD') return reply.header('content-type', format).header('vary', 'Accept').send()
  reply.hijack()
  streamFrames(reply.raw, { ...watched, clock: ports.clock, streams, format })
  return reply
}
