// Whether this server has more than its share of the streams of all servers of the store, and how many it lets go of when.
// Knows neither streams nor how they are asked to go.
import type { StreamCounts } from '../../api/push-streams.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'

/** While the server with most has at most so many times the streams of the one with fewest, nothing moves. */
const bandRatio = 1.2
/** A server that has fewer than this above the mean lets nothing go: small fleets would never rest. */
const minSurplus = 5

/**
 * Streams that a server has above its share, those left out that are to go already; 0 while the servers are about even, and
 * for a server that knows no others.
 */
export function surplusOf({ open, leaving }: StreamCounts, others: readonly number[]): number {
  const staying = open - leaving
  const total = others.reduce((sum, count) => sum + count, open)
  const surplus = Math.floor(staying - total / (others.length + 1))
  const isUneven = staying > bandRatio * Math.min(staying, ...others)
  return isUneven && surplus >= minSurplus ? surplus : 0
}

/** How often a server looks, and how much of its surplus it lets go of each time. */
const periodMs = 5_000
const shareOfSurplus = 1 / 6
/** At most so many each time, or this share of all it has. */
const maxAtOnce = 500
const maxShareAtOnce = 1 / 50

/** How many streams of a surplus go now. */
export function portionOf(surplus: number, own: number): number {
  return Math.min(Math.ceil(surplus * shareOfSurplus), Math.max(maxAtOnce, Math.ceil(own * maxShareAtOnce)))
}

export interface StreamBalanceOptions {
  readonly clock: Clock
  /** Undefined while none may come. */
  readonly own: () => StreamCounts | undefined
  /** Those of the other servers that clients can go to. */
  readonly others: () => readonly number[]
  readonly shed: (count: number) => void
}

/** Looks until closed. */
export class StreamBalance {
  readonly #options: StreamBalanceOptions
  #cancel: Cancel

  constructor(options: StreamBalanceOptions) {
    this.#options = options
    this.#cancel = options.clock.after(periodMs, this.#look)
  }

  close(): void {
    this.#cancel()
  }

  readonly #look = (): void => {
    const { clock, own, others, shed } = this.#options
    this.#cancel = clock.after(periodMs, this.#look)
    const present = own()
    if (present === undefined) return
    const surplus = surplusOf(present, others())
    if (surplus > 0) shed(portionOf(surplus, present.open))
  }
}
