// Waits for a cell to know something, for a while or for as long as the client does.
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { State } from '../../watch/state.ts'

export interface WaitOptions {
  readonly clock: Clock
  /** Absent: no limit. */
  readonly limitMs?: number
  /** Ends the wait: the client left or the server stops. */
  readonly signal?: AbortSignal
}

/** The first state that `isSettled` takes, or the state at the end of the wait. Watches the cell meanwhile. */
export function settled<T>(
  cell: Cell<T>,
  isSettled: (state: State<T>) => boolean,
  { clock, limitMs, signal }: WaitOptions,
): Promise<State<T>> {
  return new Promise(resolve => {
    let cancel: Cancel | undefined
    let unwatch: Unwatch | undefined
    let isDone = false
    const finish = (state: State<T>): void => {
      if (isDone) return
      isDone = true
      cancel?.()
      signal?.removeEventListener('abort', giveUp)
      resolve(state)
      unwatch?.()
    }
    const giveUp = (): void => finish(cell.peek())
    unwatch = cell.watch(state => {
      if (isSettled(state)) finish(state)
    })
    if (isDone) {
      unwatch()
      return
    }
    if (signal?.aborted === true || limitMs === 0) giveUp()
    else {
      signal?.addEventListener('abort', giveUp, { once: true })
      if (limitMs !== undefined) cancel = clock.after(limitMs, giveUp)
    }
  })
}
