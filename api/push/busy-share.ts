// Which share of its time a thread spends on something, of late. Knows not what.

/** About how far back it looks, in ms; what is longer ago weighs less and less. */
const memoryMs = 500

/** Instants are in ms on the monotonic clock and never go back. */
export class BusyShare {
  #share = 0
  #since = 0
  #isBusy = false

  /** It begins, or ends, at this instant. */
  turn(isBusy: boolean, now: number): void {
    this.#share = this.at(now)
    this.#since = now
    this.#isBusy = isBusy
  }

  /** The share at this instant, 0 to 1. */
  at(now: number): number {
    const kept = Math.exp((this.#since - now) / memoryMs)
    return this.#isBusy ? 1 - (1 - this.#share) * kept : this.#share * kept
  }
}
