// How long a body may take to come: two minutes in all, or, where it is used as it comes, as long as it goes on coming. The
// HTTP server itself has one limit for all requests, which no large import would meet.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { HttpContext } from './context.ts'
import { answerBrokenRequest } from './send-problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The body is used as it comes, however long that takes. */
    readonly isBodyStreamed?: boolean
  }
}

/** For a whole body, or between two looks at one that is used as it comes. */
export const bodyMs = 120_000

const tooSlow = Object.assign(new Error('The body did not come in time.'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' })

/** Adds the limit to every route that is added after; a request that is over it is answered with 408 and cut off. */
export function limitBodyTime(app: FastifyInstance, { ports }: Pick<HttpContext, 'ports'>): void {
  const { clock } = ports
  app.addHook('onRequest', async ({ raw, routeOptions }) => {
    if (!hasBody(raw)) return
    let seen = raw.socket.bytesRead
    const look = (): void => {
      const { bytesRead } = raw.socket
      // What waits here to be read is not the client's delay.
      const isComing = bytesRead > seen || raw.readableLength > 0
      seen = bytesRead
      if (isComing && routeOptions.config.isBodyStreamed === true) cancel = clock.after(bodyMs, look)
      else answerBrokenRequest(tooSlow, raw.socket)
    }
    let cancel = clock.after(bodyMs, look)
    raw.once('end', () => cancel())
    raw.once('close', () => cancel())
  })
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
