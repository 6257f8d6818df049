// Waits for a cell's first answer. For edges that have to answer once, such as a unary call.
import type { Cell } from './cell.ts'
import type { Failed, Ok } from './state.ts'

/** The first state that is not pending; rejects with the signal's reason when it aborts first. Watches until then. */
export function firstSettled<T>(cell: Cell<T>, signal: AbortSignal): Promise<Ok<T> | Failed> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const done = new AbortController()
    const onAbort = (): void => {
      done.abort()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    cell.watch(state => {
      if (state.kind === 'pending') return
      done.abort()
      signal.removeEventListener('abort', onAbort)
      resolve(state)
    }, done.signal)
  })
}
