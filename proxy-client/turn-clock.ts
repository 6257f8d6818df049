// A clock for the way of requests, which asks for the time at every step: within one event it stands still. Knows no requests.
import type { Clock } from '../watch/clock.ts'

/**
 * Reads `clock.monotonic` once for each event and its microtasks, that is, when something was read or a timer ran: a wait
 * begins and ends with an event, so what it took is told exactly. What runs long without a break sees no time pass.
 */
export function createTurnClock(clock: Clock): Clock {
  const settled = Promise.resolve()
  let time = 0
  let isRead = false
  const forget = (): void => {
    isRead = false
  }
  return {
    ...clock,
    monotonic: () => {
      if (isRead) return time
      isRead = true
      time = clock.monotonic()
      void settled.then(forget)
      return time
    },
  }
}
