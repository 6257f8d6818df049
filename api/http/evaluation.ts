// The routes that evaluate names: bind, resolve, addr, delegate, bound-names; once or as a watch.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { emptyDtab } from '../../naming/dtab.ts'
import { parseDtab, parsePath } from '../../naming/parse.ts'
import { orThrow } from '../../naming/result.ts'
import type { Cell } from '../../watch/cell.ts'
import { answerCell, answerFrame } from './answer-frame.ts'
import type { HttpContext } from './context.ts'
import { namespaceParams } from './dtabs.ts'
import type { Name } from './evaluation-frames.ts'
import type { Frame } from './frame.ts'
import { fromQuery, startWatch, watchQuery } from './start-watch.ts'

const nameQuery = z.strictObject({ ...watchQuery, path: z.string(), dtab: z.string().optional() })
const idQuery = z.strictObject({ ...watchQuery, path: z.string() })
const delegateQuery = z.strictObject({ path: z.string(), dtab: z.string().optional() })
const namesQuery = z.strictObject(watchQuery)

/** The name that a query asks for; errors say where it does not parse. */
export function nameFromQuery(namespace: string, path: string, dtab: string | undefined): Name {
  return {
    key: JSON.stringify([namespace, path, dtab]),
    namespace,
    path: orThrow(parsePath(path)),
    local: dtab === undefined ? emptyDtab : orThrow(parseDtab(dtab)),
  }
}

/** Adds the routes that evaluate names. */
export function addEvaluationRoutes(app: FastifyInstance, context: HttpContext): void {
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const { evaluation } = context
  const serve = serveName(context)

  const byName = { schema: { params: namespaceParams, querystring: nameQuery } }
  typed.get('/api/bind/:namespace', byName, (request, reply) => serve('bind', request, reply))
  typed.get('/api/resolve/:namespace', byName, (request, reply) => serve('resolve', request, reply))
  const byId = { schema: { params: namespaceParams, querystring: idQuery } }
  typed.get('/api/addr/:namespace', byId, (request, reply) => serve('addr', request, reply))
  const explain = { schema: { params: namespaceParams, querystring: delegateQuery } }
  typed.get('/api/delegate/:namespace', explain, (request, reply) => {
    orThrow(context.explanations.take(request.ip))
    return serve('delegate', request, reply)
  })
  typed.get('/api/bound-names', { schema: { querystring: namesQuery } }, (request, reply) => {
    if (request.query.watch === true) {
      const stream = { cell: evaluation.boundNames, from: fromQuery(request), presentVersion: () => 0 }
      return startWatch(context, request, reply, { kind: 'bound-names', ...stream })
    }
    return answerFrame(context, reply, { key: 'bound-names', make: () => evaluation.boundNames })
  })
}

type Question = 'bind' | 'resolve' | 'addr' | 'delegate'

type NameRequest = FastifyRequest<{
  Params: { readonly namespace: string }
  Querystring: {
    readonly path: string
    readonly dtab?: string | undefined
    readonly watch?: boolean | undefined
    readonly from?: string | undefined
  }
}>

type ServeName = (question: Question, request: NameRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>

function serveName(context: HttpContext): ServeName {
  const { evaluation, ports } = context
  return (question, request, reply) => {
    const { path, dtab, watch } = request.query
    const name = nameFromQuery(request.params.namespace, path, dtab)
    const presentVersion = (): number => {
      const snapshot = ports.interpreter.namespace(name.namespace).peek()
      return snapshot.kind === 'ok' ? snapshot.value.version : 0
    }
    if (watch === true && question !== 'delegate') {
      const stream = { kind: question, from: fromQuery(request), presentVersion }
      if (question !== 'bind')
        return startWatch(context, request, reply, { ...stream, cell: evaluation[question](name) })
      const trees = { cell: evaluation.bindTree(name), first: evaluation.bind(name) }
      return startWatch(context, request, reply, { ...stream, ...trees })
    }
    if (question === 'resolve') {
      keepTree(context, name)
      return answerCell(context, reply, evaluation.resolve(name), presentVersion)
    }
    const key = `${question} ${name.key}`
    const make = (): Cell<Frame> => evaluation[question](name)
    return answerFrame(context, reply, { key, make, presentVersion })
  }
}

/** A draw is made for each answer, so only what it is drawn from is kept. */
function keepTree({ warm, ports }: HttpContext, name: Name): void {
  warm.keep(`tree ${name.key}`, () => ports.interpreter.bind(name))
}
