// Small pieces of work, so many in one turn of the event loop and the rest in the next ones, in order. Knows not what they are.
import type { Clock } from './clock.ts'

/** Each piece may take some hundredths of a millisecond. */
const mostPerTurn = 200

/** For word of a backend that concerns thousands of names at once. Shared by all who bring work at the same time. */
export class TurnQueue {
  readonly #clock: Clock
  #waiting: (() => void)[] = []
  #doneThisTurn = 0
  #isTurnOpen = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs it now where the turn has room and nothing waits before it, else in a later turn; it must not throw. */
  run(work: () => void): void {
    this.#openTurn()
    if (this.#waiting.length > 0 || this.#doneThisTurn >= mostPerTurn) {
      this.#waiting.push(work)
      return
    }
    this.#doneThisTurn++
    work()
  }

  #openTurn(): void {
    if (this.#isTurnOpen) return
    this.#isTurnOpen = true
    this.#clock.defer(() => this.#nextTurn())
  }

  #nextTurn(): void {
    this.#isTurnOpen = false
    this.#doneThisTurn = 0
    if (this.#waiting.length === 0) return
    this.#openTurn()
    const due = this.#waiting.splice(0, mostPerTurn)
    this.#doneThisTurn = due.length
    for (const work of due) work()
  }
}
