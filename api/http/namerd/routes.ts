// namerd's API under /api/1: which handler answers which raw path. Its manners are kept; see the files beside this one.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { HttpContext } from '../context.ts'
import { jsonType } from '../media-type.ts'
import { namingErrorOf } from '../send-problem.ts'
import { delegateAlone, delegateIn } from './delegate.ts'
import { dtabRoutes, listDtabs } from './dtabs.ts'
import {
  addrText,
  answerText,
  boundNamesText,
  createNamerdTrees,
  type NamerdTrees,
  nameOf,
  resolvedText,
} from './evaluation.ts'
import { isNamerdUrl, isTrue, readRawUrl } from './raw-url.ts'
import { NamerdRefusal, sendRefusal } from './reply.ts'

/** Every URL of namerd's API is routed to this one, so that no router decodes or splits it. */
const route = '/api/1/*'
const routed = '/api/1/namerd'

/** What a request's URL is routed as. */
export function namerdUrl(url: string): string {
  return isNamerdUrl(url) ? routed : url
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>

/** Adds the one route that answers every URL under /api/1/. */
export function addNamerdRoutes(app: FastifyInstance, context: HttpContext): void {
  const handle = namerdHandler(context)
  app.all(route, {
    config: { isNamerd: true },
    handler: (request, reply) => handle(request, reply),
    errorHandler: (error, request, reply) => refuse(context, error, request, reply),
  })
}

function refuse(context: HttpContext, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof NamerdRefusal) return sendRefusal(reply, error)
  const known = namingErrorOf(error)
  context.errors.note(known, { method: request.method, route })
  const status = known.httpStatus === 413 || known.httpStatus === 503 ? known.httpStatus : 500
  return sendRefusal(reply, new NamerdRefusal(status))
}

function namerdHandler(context: HttpContext): Handler {
  const dtabs = dtabRoutes(context)
  const trees = createNamerdTrees(context.ports)
  return async (request, reply) => {
    reply.raw.sendDate = false
    const { path, query } = readRawUrl(request.originalUrl)
    const isWatch = isTrue(query.get('watch')) && request.method !== 'HEAD'
    if (path === 'dtabs' || path === 'dtabs/') return listDtabs(context, reply, isWatch)
    if (path.startsWith('dtabs/')) return dtabs(request, reply, path.slice('dtabs/'.length), isWatch)
    if (path === 'bound-names' && request.method === 'GET') {
      return answerText(context, boundNamesText(context), {
        kind: 'namerd-bound-names',
        reply,
        query,
        contentType: jsonType,
      })
    }
    if (path.startsWith('delegate/') && path.length > 'delegate/'.length) {
      return delegateIn(context, path.slice('delegate/'.length), query, reply)
    }
    if (path.startsWith('delegate')) return delegateAlone(context, request, query, reply)
    return evaluate(context, trees, path, { reply, query })
  }
}

interface Evaluation {
  readonly reply: FastifyReply
  readonly query: URLSearchParams
}

async function evaluate(
  context: HttpContext,
  trees: NamerdTrees,
  path: string,
  answer: Evaluation,
): Promise<FastifyReply> {
  const slash = path.indexOf('/')
  if (slash < 0) throw new NamerdRefusal(404)
  const question = path.slice(0, slash)
  const namespace = path.slice(slash + 1)
  switch (question) {
    case 'bind': {
      const name = nameOf(namespace, answer.query)
      const live = context.warm.keep(`/api/1/bind ${name.key}`, () => trees.live(name))
      return answerText(context, live, { ...answer, kind: 'namerd-bind', watched: trees.tree(name) })
    }
    case 'resolve':
      return answerText(context, resolvedText(context, nameOf(namespace, answer.query)), {
        ...answer,
        kind: 'namerd-resolve',
        contentType: jsonType,
      })
    case 'addr':
      return answerText(context, addrText(context, nameOf(namespace, answer.query).path), {
        ...answer,
        kind: 'namerd-addr',
      })
    default:
      throw new NamerdRefusal(404)
  }
}
