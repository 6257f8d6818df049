// After a write, waits until this server goes by it, so that whoever had the answer sees what was written.
import type { Version } from '../../storage/store.ts'
import type { Cell } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'
import type { HttpContext } from './context.ts'
import { settled } from './settled.ts'

/** A very large dtab is answered before it is compiled: it is stored, and this server will go by it. */
const defaultLimitMs = 2_000

/** What is waited for: a version that was written. */
export type Written = Pick<Version, 'namespace' | 'version'>

export interface AppliedLimits {
  readonly limitMs?: number
  /** Ends the wait early; the stop of the server does so too. */
  readonly signal?: AbortSignal
}

/**
 * Resolves once the rules and the streams that are in use here have the version, and the listing where there are none, or
 * after two seconds: with whether they do. What nobody uses is not opened.
 */
export async function applied(
  context: Pick<HttpContext, 'ports' | 'dtabs'>,
  { namespace, version }: Written,
  { limitMs = defaultLimitMs, signal = context.ports.shutdown }: AppliedLimits = {},
): Promise<boolean> {
  const { interpreter, clock, servers } = context.ports
  const reaches = async <T>(cell: Cell<T>, versionOf: (value: T) => number): Promise<boolean> => {
    if (cell.peek().kind !== 'ok') return true
    const hasIt = (state: State<T>): boolean => state.kind !== 'ok' || versionOf(state.value) >= version
    return hasIt(await settled(cell, hasIt, { clock, limitMs, signal }))
  }
  const [{ all }, ...reached] = await Promise.all([
    servers.whenApplied({ namespace, version, scope: 'applied', timeoutMs: limitMs, signal }),
    reaches(interpreter.namespace(namespace), snapshot => snapshot.version),
    reaches(context.dtabs.dtab(namespace), frame => (frame.isPending ? version : (frame.dtabVersion ?? version))),
  ])
  return all && reached.every(isReached => isReached)
}
