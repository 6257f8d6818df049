// Tells of connections that a listener could not accept, for want of files for instance. Knows no listener.
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'

/** Such errors come by the thousand; after one was told, the others of that time are counted only. */
const quietMs = 10_000

/** `server` is the listener's `address:port`. */
export function createAcceptLog(log: Log, clock: Clock, server: string): (error: Error) => void {
  let quietUntil = Number.NEGATIVE_INFINITY
  let untold = 0
  return error => {
    const now = clock.monotonic()
    if (now < quietUntil) {
      untold++
      return
    }
    log.warn({ err: error, server, untold }, 'a connection could not be accepted')
    quietUntil = now + quietMs
    untold = 0
  }
}
