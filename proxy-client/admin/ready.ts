// Whether the proxy can serve, and if not, why. It stays ready while its servers are away once it had heard from one.
import { type AdminAnswer, jsonAnswer } from '../../runtime/admin-server.ts'
import type { RunningRouter } from './state.ts'

/** 200 or 503, with a line for each router that cannot serve. */
export function readyAnswer(routers: readonly RunningRouter[], isClosing: boolean): AdminAnswer {
  const reasons = routers.flatMap(({ router, naming }) => {
    const status = naming.status()
    if (status.wasConnected) return []
    return [{ router: router.label, reason: 'no naming server has answered yet', problem: status.problem }]
  })
  if (isClosing) return jsonAnswer({ ready: false, reasons: [{ reason: 'the proxy is stopping' }] }, 503)
  return jsonAnswer({ ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503)
}
