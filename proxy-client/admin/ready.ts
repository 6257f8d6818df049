// Whether the proxy can serve, and if not, why. It stays ready while its servers are away once it had heard from one.
import { type AdminAnswer, jsonAnswer } from '../../runtime/admin-server.ts'
import type { RunningRouter } from './state.ts'

export interface ReadyReport {
  readonly ready: boolean
  readonly reasons: readonly { readonly router?: string; readonly reason: string; readonly problem?: string }[]
}

/** A reason for each router that cannot serve. */
export function readyReport(routers: readonly RunningRouter[], isClosing: boolean): ReadyReport {
  if (isClosing) return { ready: false, reasons: [{ reason: 'the proxy is stopping' }] }
  const reasons = routers.flatMap(({ router, naming }) => {
    const { wasConnected, lastGood, problem } = naming.status()
    if (wasConnected || lastGood !== undefined) return []
    const reason = 'no naming server has answered yet'
    return [{ router: router.label, reason, ...(problem !== undefined && { problem }) }]
  })
  return { ready: reasons.length === 0, reasons }
}

/** 200 or 503. */
export function readyAnswer(report: ReadyReport): AdminAnswer {
  return jsonAnswer(report, report.ready ? 200 : 503)
}
