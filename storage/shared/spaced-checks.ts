// Checks that are asked for by key, because somebody has news up to a number: at once for each higher number, and no more
// often than every so often for one that is known. Knows nothing of what is checked.
import type { Cancel, Clock } from '../../watch/clock.ts'

export interface SpacedChecksOptions {
  readonly clock: Clock
  readonly check: (key: string) => void
}

/** Between two checks of one key for the same number, in milliseconds. */
const spacingMs = 1_000

interface Recent {
  /** The highest that was asked for. */
  readonly upTo: number
  /** Whether it was asked for again since. */
  isAsked: boolean
  readonly cancel: Cancel
}

export class SpacedChecks {
  readonly #options: SpacedChecksOptions
  /** Keys that were checked within the spacing. */
  readonly #recent = new Map<string, Recent>()

  constructor(options: SpacedChecksOptions) {
    this.#options = options
  }

  ask(key: string, upTo: number): void {
    const recent = this.#recent.get(key)
    if (recent === undefined || upTo > recent.upTo) this.#check(key, upTo)
    else recent.isAsked = true
  }

  stop(): void {
    for (const { cancel } of this.#recent.values()) cancel()
    this.#recent.clear()
  }

  #check(key: string, upTo: number): void {
    const { clock, check } = this.#options
    this.#recent.get(key)?.cancel()
    const cancel = clock.after(spacingMs, () => {
      const isAsked = this.#recent.get(key)?.isAsked === true
      this.#recent.delete(key)
      if (isAsked) this.#check(key, upTo)
    })
    this.#recent.set(key, { upTo, isAsked: false, cancel })
    check(key)
  }
}
