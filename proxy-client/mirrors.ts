// Cells that show what a stream brings, one per name or id that somebody watches. Knows neither names nor streams.
import type { Cell, Kernel, Pool, Sink } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'

export interface MirrorOptions<K, T> {
  readonly kernel: Kernel
  /** For people: what the keys are. */
  readonly what: string
  readonly keyText: (key: K) => string
  /** Begins to feed a cell; gives how that ends. */
  readonly open: (key: K, sink: Sink<State<T>>) => () => void
  /** How long a cell is fed after its last watcher left, in milliseconds; 0 is until the next turn. */
  readonly lingerMs: number
  /** Of the sources behind the cells. */
  readonly group?: string
}

/**
 * One cell per key. What feeds them has a pool of its own, for it outlives its last watcher by the linger, and who comes
 * back by then must find it, not open another beside it.
 */
export function createMirrors<K, T>(options: MirrorOptions<K, T>): Pool<K, T> {
  const { kernel, what, keyText, open, lingerMs, group } = options
  const received = kernel.pool(
    (key: K) =>
      kernel.source<State<T>>(`${what} ${keyText(key)}`, sink => open(key, sink), {
        lingerMs,
        ...(group !== undefined && { group }),
      }),
    keyText,
  )
  const shown = (key: K): Cell<T> =>
    kernel.derive(`${what} ${keyText(key)}`, read => {
      const state = read(received.at(key))
      return state.kind === 'ok' ? state.value : state
    })
  return kernel.pool(shown, keyText)
}
