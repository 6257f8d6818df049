// What can be refused before a body is read: a stopping server, a bad namespace, a wrong media type, a length over the limit.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { NamingError } from '../../naming/errors.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import { failure, orThrow, type Result, success } from '../../naming/result.ts'
import type { HttpContext } from './context.ts'
import { jsonType, mediaTypeOf, misreadAs, ndjsonType } from './media-type.ts'
import { unsupportedMediaType } from './send-problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Media types that a body may have; absent where no body is read. */
    readonly bodyTypes?: readonly string[]
    /** The route only says that the method is not served. */
    readonly isRefusal?: boolean
    /** The route keeps namerd's own rules. */
    readonly isNamerd?: boolean
  }
}

/** Adds the checks to every route that is added after. */
export function refuseEarly(app: FastifyInstance, { ports }: HttpContext): void {
  app.addHook('onRequest', async request => {
    if (ports.shutdown.aborted) throw new NamingError('unavailable', 'The server is stopping.')
    const { config } = request.routeOptions
    if (config.isNamerd === true || config.isRefusal === true) return
    const { namespace } = request.params as { readonly namespace?: string } // strings by name, as the router makes them
    if (namespace !== undefined) orThrow(parseNamespace(namespace))
    if (config.bodyTypes !== undefined) refuseBody(request, config.bodyTypes, ports.store.maxDtabBytes)
  })
}

function refuseBody(request: FastifyRequest, accepted: readonly string[], limit: number): void {
  const header = request.headers['content-type']
  const type = mediaTypeOf(header)
  if (!accepted.includes(type)) {
    const shown = header === undefined ? 'A Content-Type is missing.' : `Content-Type '${header}' is not taken.`
    throw unsupportedMediaType(shown, accepted)
  }
  const misread = misreadAs(request.headers)
  if (misread !== undefined) throw unsupportedMediaType(`${misread} is not taken.`, accepted)
  const length = Number(request.headers['content-length'] ?? 0)
  if (type !== jsonType && type !== ndjsonType) orThrow(withinLimit(length, limit))
}

/** Refuses a text that is too long for the store, before it is parsed. */
export function withinLimit(length: number, limit: number): Result<undefined> {
  if (length <= limit) return success(undefined)
  return failure(
    new NamingError('dtab-too-large', `The dtab has ${length} bytes; this store holds at most ${limit}.`, {
      detail: { used: length, limit },
    }),
  )
}
