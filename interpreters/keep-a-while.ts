// Shared derived cells that outlive their last watcher for a while, so that asking again costs nothing.
import { type Cell, type Kernel, relayGroup } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'

export interface KeepOptions<K, T> {
  readonly open: (key: K) => Cell<T>
  readonly keyText: (key: K) => string
  /** What a cell derives from is let go so long after its last watcher left. */
  readonly lingerMs: number
  /** Whether a value takes too much memory to be kept for nobody; one that was too large is not kept again meanwhile. */
  readonly isTooLarge: (value: T) => boolean
}

/** One cell per key. */
export function keepAWhile<K, T>(kernel: Kernel, options: KeepOptions<K, T>): (key: K) => Cell<T> {
  const { open, keyText, lingerMs, isTooLarge } = options
  const opened = kernel.pool<K, T>(open, keyText)
  const kept = kernel.pool<K, State<T> | 'too large'>(
    key =>
      kernel.source(
        keyText(key),
        sink => {
          const done = new AbortController()
          const take = (state: State<T>): void => {
            const isKept = state.kind !== 'ok' || !isTooLarge(state.value)
            sink.set(isKept ? state : 'too large')
            if (!isKept) done.abort()
          }
          opened.at(key).watch(take, done.signal)
          return () => done.abort()
        },
        { lingerMs, group: relayGroup },
      ),
    keyText,
  )
  const shown = kernel.pool<K, T>(
    key =>
      kernel.derive(keyText(key), read => {
        const state = read(kept.at(key))
        if (state.kind !== 'ok') return state
        return state.value === 'too large' ? read(opened.at(key)) : state.value
      }),
    keyText,
  )
  return key => shown.at(key)
}
