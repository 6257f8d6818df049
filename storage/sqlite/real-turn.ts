// A turn of the real event loop, whatever clock the store keeps: what it spreads is work, not time.
import { systemClock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'

/** Settles in the next turn, after what else is ready. */
export function turnOfTheLoop(): Promise<void> {
  return nextTurn(systemClock)
}
