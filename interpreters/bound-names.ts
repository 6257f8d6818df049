// The names that listing namers know, as one cell.
import type { Path } from '../naming/path.ts'
import type { Cell, Kernel } from '../watch/cell.ts'
import { ok, type State } from '../watch/state.ts'
import type { Namer } from './namer.ts'

/** Namers that cannot tell yet or fail are left out while another one can; with none, what the first one says. */
export function createBoundNames(kernel: Kernel, namers: readonly Namer[]): () => Cell<readonly Path[]> {
  const cell = kernel.derive<readonly Path[]>('bound names', read => {
    const states = namers.flatMap(namer => (namer.names === undefined ? [] : [read(namer.names())]))
    const known = states.flatMap(state => (state.kind === 'ok' ? [state.value] : []))
    const unknown: State<readonly Path[]> | undefined = states[0]
    return known.length === 0 && unknown !== undefined ? unknown : ok(known.flat())
  })
  return () => cell
}
