// Waits until servers go by a version, and says who does. Knows no stream.
import type { AppliedReport, ServerState, Servers } from '../../api/servers.ts'
import type { Cell } from '../../watch/cell.ts'
import type { Clock } from '../../watch/clock.ts'

export interface AppliedPorts {
  readonly clock: Clock
  /** Changes with everything that the report says. */
  readonly changes: Cell<unknown>
  /** The servers that are asked for, as of now. */
  readonly states: () => readonly ServerState[]
  /** False while there may be others to ask for. */
  readonly isEveryoneKnown: () => boolean
}

/** The report at the moment in which all have the version, the time is over or the signal aborts. */
export function waitUntilApplied(
  { namespace, version, timeoutMs, signal }: Parameters<Servers['whenApplied']>[0],
  { clock, changes, states, isEveryoneKnown }: AppliedPorts,
): Promise<AppliedReport> {
  const report = (): AppliedReport => {
    const { all, servers } = reportOf(states(), namespace, version)
    return { all: all && isEveryoneKnown(), servers }
  }
  const first = report()
  if (first.all || signal.aborted || timeoutMs <= 0) return Promise.resolve(first)
  return new Promise(resolve => {
    const finish = (last: AppliedReport): void => {
      cancel()
      signal.removeEventListener('abort', giveUp)
      unwatch()
      resolve(last)
    }
    const giveUp = (): void => finish(report())
    const cancel = clock.after(timeoutMs, giveUp)
    signal.addEventListener('abort', giveUp, { once: true })
    let isFirst = true // that delivery tells of now, and comes before there is an unwatch
    const unwatch = changes.watch(() => {
      const now = isFirst ? first : report()
      isFirst = false
      if (now.all) finish(now)
    })
  })
}

function reportOf(states: readonly ServerState[], namespace: string, version: number): AppliedReport {
  const servers = states.map(({ id, replies, dtabs }) => {
    const has = dtabs.get(namespace) ?? 0
    return { id, replied: replies, applied: replies && has >= version, ...(replies && { version: has }) }
  })
  return { all: servers.every(({ applied }) => applied), servers }
}
