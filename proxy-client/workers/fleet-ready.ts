// Whether a fleet can serve: a worker that is away has no connections, so that it stands in nobody's way while another is there.
import type { ReadyReport } from '../admin/ready.ts'

/** A place in the fleet as far as readiness goes by it. */
export interface ReadySlot {
  readonly worker: number
  readonly link: { readonly isStarted: boolean; ask(question: 'ready'): Promise<ReadyReport | undefined> } | undefined
}

/** Ready when every worker that gets connections is, and there is one. */
export async function fleetReady(slots: readonly ReadySlot[]): Promise<ReadyReport> {
  const serving = slots.filter(({ link }) => link?.isStarted)
  const reasons = (await Promise.all((serving.length > 0 ? serving : slots).map(reasonsOf))).flat()
  return { ready: reasons.length === 0, reasons }
}

async function reasonsOf({ worker, link }: ReadySlot): Promise<ReadyReport['reasons']> {
  if (!link?.isStarted) return [{ reason: `worker ${worker} is being started` }]
  const report = await link.ask('ready')
  if (report === undefined) return [{ reason: `worker ${worker} does not answer` }]
  return report.reasons.map(each => ({ ...each, reason: `worker ${worker}: ${each.reason}` }))
}
