// A question that is given up when it takes too long. Knows not what is asked.
import type { Clock } from '../../watch/clock.ts'

export interface TimeLimits {
  readonly clock: Clock
  readonly limitMs: number
  /** Ends the question early. */
  readonly signal: AbortSignal
}

/** The answer; rejects when there is none in time, and `until` aborts then, whether anyone heeds it or not. */
export function inTime<T>({ clock, limitMs, signal }: TimeLimits, ask: (until: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const giveUp = (reason: string): void => {
    reject(new Error(reason))
    over.abort()
  }
  const left = (): void => giveUp('nobody waits for the answer any more')
  const cancel = clock.after(limitMs, () => giveUp(`no answer within ${limitMs} ms`))
  signal.addEventListener('abort', left, { once: true })
  if (signal.aborted) left()
  ask(over.signal).then(resolve, reject)
  return promise.finally(() => {
    cancel()
    signal.removeEventListener('abort', left)
  })
}
