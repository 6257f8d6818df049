// Bounds how much is decoded in one turn of the event loop, over all watches of a cluster.
import type { Clock } from '../../watch/clock.ts'

/** Decoding so many bytes takes some milliseconds. */
const bytesPerTurn = 256 << 10
const itemsPerTurn = 256

export class TurnBudget {
  readonly #clock: Clock
  #bytes = 0
  #items = 0
  #nextTurn: Promise<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether this turn has done enough: await `nextTurn`, then ask again, for others may have been first. */
  get isSpent(): boolean {
    return this.#bytes >= bytesPerTurn || this.#items >= itemsPerTurn
  }

  spend(bytes: number): void {
    this.#bytes += bytes
    this.#items++
    void this.nextTurn
  }

  get nextTurn(): Promise<void> {
    this.#nextTurn ??= new Promise(resolve => {
      this.#clock.defer(() => {
        this.#bytes = this.#items = 0
        this.#nextTurn = undefined
        resolve()
      })
    })
    return this.#nextTurn
  }
}
