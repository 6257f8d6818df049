// A turn of the real event loop, whatever clock the store keeps: what it spreads is work, not time.
import { systemClock } from '../../watch/clock.ts'

/** Settles in the next turn, after what else is ready. */
export function turnOfTheLoop(): Promise<void> {
  return new Promise(resolve => {
    systemClock.defer(resolve)
  })
}
