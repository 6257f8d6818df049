// The pages of the proxy's admin server.
import { type AdminRoute, jsonAnswer, textAnswer } from '../../runtime/admin-server.ts'
import type { Metrics } from '../../runtime/metrics.ts'
import { readyAnswer } from './ready.ts'
import { type RunningRouter, stateOf } from './state.ts'

export interface AdminSubject {
  readonly routers: readonly RunningRouter[]
  readonly metrics: Metrics
  readonly isClosing: () => boolean
}

/** Path to page; metrics stand under linkerd's path too. */
export function adminRoutes({ routers, metrics, isClosing }: AdminSubject): Readonly<Record<string, AdminRoute>> {
  const exposeMetrics: AdminRoute = async () => ({ status: 200, ...(await metrics.expose()) })
  return {
    '/ready': () => readyAnswer(routers, isClosing()),
    '/live': () => textAnswer('live\n'),
    '/admin/ping': () => textAnswer('pong'),
    '/state': () => jsonAnswer(stateOf(routers)),
    '/metrics': exposeMetrics,
    '/admin/metrics/prometheus': exposeMetrics,
  }
}
