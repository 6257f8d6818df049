// Checks that are asked for by key and made at once, but no more often than every so often for one key.
import type { Cancel, Clock } from '../../watch/clock.ts'

export interface SpacedChecksOptions {
  readonly clock: Clock
  readonly check: (key: string) => void
}

/** Between two checks of one key, in milliseconds. */
const spacingMs = 1_000

export class SpacedChecks {
  readonly #options: SpacedChecksOptions
  /** Keys that were checked within the spacing, and whether they were asked for since. */
  readonly #recent = new Map<string, { isAsked: boolean; cancel: Cancel }>()

  constructor(options: SpacedChecksOptions) {
    this.#options = options
  }

  ask(key: string): void {
    const recent = this.#recent.get(key)
    if (recent === undefined) this.#check(key)
    else recent.isAsked = true
  }

  stop(): void {
    for (const { cancel } of this.#recent.values()) cancel()
    this.#recent.clear()
  }

  #check(key: string): void {
    const { clock, check } = this.#options
    const cancel = clock.after(spacingMs, () => {
      const isAsked = this.#recent.get(key)?.isAsked === true
      this.#recent.delete(key)
      if (isAsked) this.#check(key)
    })
    this.#recent.set(key, { isAsked: false, cancel })
    check(key)
  }
}
