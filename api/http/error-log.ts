// Logs what went wrong inside the server, once per window and code, so that a client cannot fill the log.
import type { NamingError } from '../../naming/errors.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'

/** At most one line per error code in this many milliseconds; the next line says how many were left out. */
const windowMs = 10_000

export interface ErrorLog {
  /**
   * Notes an error that the server is to blame for. A client's mistake (below 500) is not logged, nor a namer that cannot
   * answer: that is logged once for its source, however many requests meet it.
   */
  note(error: NamingError, facts: { readonly method: string; readonly route: string }): void
}

/** Holds one small record per error code. */
export function createErrorLog(log: Log, clock: Clock): ErrorLog {
  const seen = new Map<string, { until: number; omitted: number }>()
  return {
    note(error, facts) {
      if (error.httpStatus < 500 || error.code === 'namer-unavailable') return
      const now = clock.monotonic()
      const last = seen.get(error.code)
      if (last !== undefined && now < last.until) {
        last.omitted++
        return
      }
      seen.set(error.code, { until: now + windowMs, omitted: 0 })
      log.error(
        { code: error.code, ...facts, err: error.cause ?? error, omitted: last?.omitted ?? 0 },
        `request failed: ${error.message}`,
      )
    },
  }
}
