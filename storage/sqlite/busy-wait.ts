// Waiting for another process's lock without blocking: try, wait a little by the clock, try again.
import { NamingError } from '../../naming/errors.ts'
import type { Clock, Random } from '../../watch/clock.ts'

export interface BusyWait {
  readonly clock: Clock
  readonly random: Random
  /** After this long the answer is store-busy, in ms. */
  readonly limitMs: number
}

const shortestMs = 10
const longestMs = 50

/** A pause of 10 to 50 ms, random so that two processes do not meet again and again. */
export function pause({ clock, random }: BusyWait): Promise<void> {
  const ms = shortestMs + Math.floor(random() * (longestMs - shortestMs))
  return new Promise(resolve => {
    clock.after(ms, resolve)
  })
}

/** The error for a lock that outlasted the limit. */
export function lockedTooLong(path: string, limitMs: number): NamingError {
  return new NamingError(
    'store-busy',
    `The database ${path} has been locked by another process for ${limitMs} ms. End that process, or try again.`,
    { detail: { path, waitedMs: limitMs } },
  )
}

/** Tries until `attempt` answers with a value; undefined means busy. Rejects with store-busy after the limit. */
export async function untilFree<T>(path: string, wait: BusyWait, attempt: () => Promise<T | undefined>): Promise<T> {
  const deadline = wait.clock.monotonic() + wait.limitMs
  for (;;) {
    const value = await attempt()
    if (value !== undefined) return value
    if (wait.clock.monotonic() >= deadline) throw lockedTooLong(path, wait.limitMs)
    await pause(wait)
  }
}
