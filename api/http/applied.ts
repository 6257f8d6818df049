// After a write, waits until this server goes by it, so that whoever had the answer sees what was written.
import type { Version } from '../../storage/store.ts'
import type { Cell } from '../../watch/cell.ts'
import type { HttpContext } from './context.ts'
import { settled } from './settled.ts'

/** A very large dtab is answered before it is compiled: it is stored, and this server will go by it. */
const limitMs = 2_000

/** Resolves once the rules and the streams that are in use here have the version, or after two seconds. What nobody uses is not opened. */
export async function applied(
  { ports, dtabs }: Pick<HttpContext, 'ports' | 'dtabs'>,
  { namespace, version }: Pick<Version, 'namespace' | 'version'>,
): Promise<void> {
  const { interpreter, clock, shutdown } = ports
  const reaches = async <T>(cell: Cell<T>, versionOf: (value: T) => number): Promise<void> => {
    if (cell.peek().kind !== 'ok') return
    const hasIt = (state: ReturnType<typeof cell.peek>): boolean =>
      state.kind !== 'ok' || versionOf(state.value) >= version
    await settled(cell, hasIt, { clock, limitMs, signal: shutdown })
  }
  await Promise.all([
    reaches(interpreter.namespace(namespace), snapshot => snapshot.version),
    reaches(dtabs.dtab(namespace), frame => (frame.isPending ? version : (frame.dtabVersion ?? version))),
  ])
}
