// How much all streams together write in one turn of the event loop: a large dtab that many watch is sent turn by turn.
import type { Clock } from '../../watch/clock.ts'

/** Bytes of one turn. What is written last may go over it, so that the largest state gets through. */
const turnBytes = 4 * 1024 * 1024

/** Of one server. Holds whoever waits, each once, and no bytes. */
export class WritePace {
  readonly #clock: Pick<Clock, 'defer'>
  readonly #waiting = new Set<() => void>()
  #spent = 0
  #isServing = false
  #hasTurn = false

  constructor(clock: Pick<Clock, 'defer'>) {
    this.#clock = clock
  }

  /** Whether `write` may go on now; if not, it is called once its turn comes. */
  admits(write: () => void): boolean {
    const mayWrite = this.#spent < turnBytes && (this.#isServing || this.#waiting.size === 0)
    if (!mayWrite) this.#waiting.add(write)
    return mayWrite
  }

  /** Says what was written. */
  wrote(bytes: number): void {
    this.#spent += bytes
    if (this.#hasTurn) return
    this.#hasTurn = true
    this.#clock.defer(this.#turn)
  }

  /** It will not write any more. */
  forget(write: () => void): void {
    this.#waiting.delete(write)
  }

  readonly #turn = (): void => {
    this.#hasTurn = false
    this.#spent = 0
    this.#isServing = true
    for (const write of this.#waiting) {
      if (this.#spent >= turnBytes) break
      this.#waiting.delete(write)
      write()
    }
    this.#isServing = false
    if (this.#waiting.size === 0 || this.#hasTurn) return
    this.#hasTurn = true
    this.#clock.defer(this.#turn)
  }
}
