// The HTTP server: routes put together, errors turned into problems, a graceful end. Knows contracts only.
import { fastify, type InjectOptions, type LightMyRequestResponse } from 'fastify'
import { validatorCompiler } from 'fastify-type-provider-zod'
import { NamingError } from '../../naming/errors.ts'
import { cannotListen } from '../../runtime/admin-server.ts'
import type { ApiPorts } from '../ports.ts'
import { limitBodyTime } from './body-time.ts'
import { createContext, type HttpApiOptions } from './context.ts'
import { addDtabRoutes } from './dtabs.ts'
import { addEvaluationRoutes } from './evaluation.ts'
import { addExportRoute } from './export.ts'
import { addHistoryRoutes } from './history.ts'
import { addImportRoute } from './import.ts'
import { addIndexRoutes } from './index-page.ts'
import { addMethodRefusals } from './method-refusals.ts'
import { addNamerdRoutes, namerdUrl } from './namerd/routes.ts'
import { addProxyRoutes } from './proxies.ts'
import { refuseEarly } from './refuse-early.ts'
import { addRequestMetrics } from './request-metrics.ts'
import { answerBrokenRequest, sendProblem } from './send-problem.ts'
import { addServerRoutes } from './servers.ts'
import { addSourceRoutes } from './sources.ts'

/** Largest body, as a multiple of what a store takes: JSON says the same dtab in more bytes. */
const jsonOverhead = 4
const smallestBodyLimit = 64 * 1024
/** A peer that vanished without a word is noticed by probes that begin after this long. */
const keepAliveMs = 60_000
/** A request whose head takes longer than this is cut off; its body is body-time.ts's. */
const headTimeoutMs = 60_000
/** Longest URL part; more than any head can hold, so that a long name gets an answer that says what is wrong with it. */
const maxParamLength = 65_536

export interface HttpApi {
  /** Begins to listen; resolves to where. A port of 0 is any free one. */
  listen(where: { readonly host: string; readonly port: number }): Promise<{ address: string; port: number }>
  /** Ends streams, lets open requests finish for a while, frees the port. */
  close(): Promise<void>
  /** One request without a socket: for tests. */
  inject(request: InjectOptions): Promise<LightMyRequestResponse>
}

/** The API on `ports`; the caller closes it, and the ports after it. */
export async function createHttpApi(ports: ApiPorts, options: HttpApiOptions = {}): Promise<HttpApi> {
  const context = createContext(ports, options)
  const app = fastify({
    bodyLimit: ports.store.maxDtabBytes * jsonOverhead + smallestBodyLimit,
    requestTimeout: 0,
    http: { headersTimeout: headTimeoutMs },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength },
    rewriteUrl: request => namerdUrl(request.url ?? '/'),
    frameworkErrors: (error, request, reply) => sendProblem(context, error, request, reply),
    clientErrorHandler: answerBrokenRequest,
  })
  app.setValidatorCompiler(validatorCompiler)
  app.setErrorHandler((error, request, reply) => sendProblem(context, error, request, reply))
  app.setNotFoundHandler((request, reply) =>
    sendProblem(context, new NamingError('not-found', 'Nothing is served at this URL.'), request, reply),
  )
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  addRequestMetrics(app, context)
  limitBodyTime(app, context)
  refuseEarly(app, context)
  const refusals = addMethodRefusals(app)
  addIndexRoutes(app)
  addDtabRoutes(app, context)
  addHistoryRoutes(app, context)
  addExportRoute(app, context)
  addImportRoute(app, context)
  addEvaluationRoutes(app, context)
  addServerRoutes(app, context)
  addProxyRoutes(app, context)
  addSourceRoutes(app, context)
  addNamerdRoutes(app, context)
  refusals.finish()
  const endStreams = (): void => context.streams.close()
  ports.shutdown.addEventListener('abort', endStreams, { once: true })
  if (ports.shutdown.aborted) endStreams()
  app.server.on('connection', socket => socket.setKeepAlive(true, keepAliveMs))
  await app.ready()

  return {
    inject: request => app.inject(request),
    listen: async ({ host, port }) => {
      await app.listen({ host, port }).catch(error => {
        throw error instanceof Error ? cannotListen(error, { host, port }, 'HTTP API') : error
      })
      const bound = app.server.address()
      if (bound === null || typeof bound === 'string') throw new NamingError('internal', 'The listener has no address.')
      return { address: bound.address, port: bound.port }
    },
    close: async () => {
      ports.shutdown.removeEventListener('abort', endStreams)
      await context.close()
      const cancel = ports.clock.after(context.options.closeGraceMs, () => app.server.closeAllConnections())
      await app.close()
      cancel()
    },
  }
}
