// Shared derived cells that outlive their last watcher for a while, so that asking again costs nothing.
import type { Cell, Kernel } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'

/** One cell per key; what it derives from is let go `lingerMs` after the last watcher left. */
export function keepAWhile<K, T>(
  kernel: Kernel,
  open: (key: K) => Cell<T>,
  keyText: (key: K) => string,
  lingerMs: number,
): (key: K) => Cell<T> {
  const kept = kernel.pool<K, State<T>>(
    key => kernel.source(keyText(key), sink => open(key).watch(state => sink.set(state)), { lingerMs }),
    keyText,
  )
  const shown = kernel.pool<K, T>(
    key =>
      kernel.derive(keyText(key), read => {
        const state = read(kept.at(key))
        return state.kind === 'ok' ? state.value : state
      }),
    keyText,
  )
  return key => shown.at(key)
}
