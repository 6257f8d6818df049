// Waits: one that ends early, and one for the next turn of the event loop. Knows nothing of what is waited for.
import type { Clock } from './clock.ts'

/** Resolves after `ms` milliseconds, or once the signal aborts. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return Promise.resolve()
  return new Promise(resolve => {
    const end = (): void => {
      cancel()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const cancel = clock.after(ms, end)
    signal?.addEventListener('abort', end, { once: true })
  })
}

/** Resolves at the next turn of the event loop, so that what is due goes between two long pieces of work. */
export function nextTurn(clock: Pick<Clock, 'defer'>): Promise<void> {
  return new Promise(resolve => {
    clock.defer(resolve)
  })
}
