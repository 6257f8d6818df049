// The route of the servers that share this one's store: who there is, who replies, and where they differ.
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { contentHash } from '../../naming/content-hash.ts'
import { NamingError } from '../../naming/errors.ts'
import type { Cell } from '../../watch/cell.ts'
import { ok, type State } from '../../watch/state.ts'
import type { ApiPorts } from '../ports.ts'
import type { Disagreement, ServerState } from '../servers.ts'
import { answerFrame } from './answer-frame.ts'
import type { HttpContext } from './context.ts'
import { Frame, failedFrame, pendingFrame, sameFrame } from './frame.ts'
import { fromQuery, startWatch, watchQuery } from './start-watch.ts'
import { timeText } from './time-text.ts'

const serversQuery = z.strictObject({ ...watchQuery })

/** Disagreements in one answer; the count is of all. */
const maxDisagreements = 100

/** Adds /api/servers. */
export function addServerRoutes(app: FastifyInstance, context: HttpContext): void {
  const cell = serversCell(context.ports)
  const typed = app.withTypeProvider<ZodTypeProvider>()
  typed.get('/api/servers', { schema: { querystring: serversQuery } }, (request, reply) => {
    if (request.query.watch !== true) return answerFrame(context, reply, { key: 'servers', make: () => cell })
    const from = fromQuery(request)
    return startWatch(context, request, reply, { kind: 'servers', cell, from, presentVersion: () => 0 })
  })
}

function serversCell({ kernel, servers }: ApiPorts): Cell<Frame> {
  return kernel.derive('http servers', read => ok(frameOf(read(servers.list()), read(servers.disagreements()))), {
    equals: sameFrame,
  })
}

function frameOf(list: State<readonly ServerState[]>, differing: State<readonly Disagreement[]>): Frame {
  for (const state of [list, differing]) {
    if (state.kind === 'pending') return pendingFrame({}, state.waitingFor ?? 'the servers')
    if (state.kind === 'failed') return failedFrame({}, NamingError.from(state.error))
  }
  if (list.kind !== 'ok' || differing.kind !== 'ok') return pendingFrame({}, 'the servers')
  const content = {
    servers: list.value.map(serverJson),
    disagreements: differing.value.slice(0, maxDisagreements).map(disagreementJson),
    disagreementCount: differing.value.length,
  }
  return new Frame({ about: {}, hash: contentHash(JSON.stringify(content)), content, stale: list.stale })
}

function serverJson({ startedAt, since, dtabs, ...rest }: ServerState): object {
  return { ...rest, startedAt: timeText(startedAt), since: timeText(since), namespaces: dtabs.size }
}

function disagreementJson({ namespace, since, versions }: Disagreement): object {
  return { namespace, since: timeText(since), versions: Object.fromEntries(versions) }
}
