// How far a long command is: one line on standard error that is written over, for people and only once it takes long.
import type { CliIo } from './cli-io.ts'

const quietMs = 2_000
const stepMs = 200

export class Progress {
  readonly #io: CliIo
  readonly #startedAt: number
  #shownAt = Number.NEGATIVE_INFINITY

  constructor(io: CliIo) {
    this.#io = io
    this.#startedAt = io.clock.monotonic()
  }

  show(text: () => string): void {
    if (!this.#io.isTerminal.stderr) return
    const now = this.#io.clock.monotonic()
    if (now - this.#startedAt < quietMs || now - this.#shownAt < stepMs) return
    this.#shownAt = now
    this.#io.stderr(`\r\u001b[K${text()}`)
  }

  /** Takes the line away. */
  end(): void {
    if (this.#shownAt > 0) this.#io.stderr('\r\u001b[K')
  }
}
