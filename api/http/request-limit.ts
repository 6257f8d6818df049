// A token bucket per client, for answers that are dear: explanations must not slow the watches down.
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { Clock } from '../../watch/clock.ts'

export interface RequestLimitOptions {
  readonly clock: Clock
  readonly perSecond: number
  readonly burst: number
}

/** Clients remembered; one that was forgotten begins with a full bucket. */
const maxClients = 10_000

export interface RequestLimit {
  /** Takes one token of the client's; `resource-exhausted` says when the next one comes. */
  take(client: string): Result<undefined>
}

/** Holds one small record per client, and no timer. */
export function createRequestLimit({ clock, perSecond, burst }: RequestLimitOptions): RequestLimit {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return {
    take(client) {
      const now = clock.monotonic()
      const known = buckets.get(client)
      const tokens = known === undefined ? burst : Math.min(burst, known.tokens + ((now - known.at) / 1000) * perSecond)
      buckets.delete(client)
      buckets.set(client, { tokens: tokens < 1 ? tokens : tokens - 1, at: now })
      if (buckets.size > maxClients) for (const oldest of buckets.keys()) if (buckets.delete(oldest)) break
      if (tokens >= 1) return success(undefined)
      const retryAfterMs = Math.ceil(((1 - tokens) / perSecond) * 1000)
      return failure(
        new NamingError(
          'resource-exhausted',
          `More than ${perSecond} explanations a second; wait ${retryAfterMs} ms.`,
          {
            detail: { retryAfterMs },
          },
        ),
      )
    },
  }
}
