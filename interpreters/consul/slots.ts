// A bounded number of places. Who gets none waits in line, and is called when one is free. Knows nothing of what they are for.

export class Slots {
  readonly #limit: number
  readonly #waiting = new Set<() => void>()
  #taken = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get taken(): number {
    return this.#taken
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether there was a place. Who is refused is called once, later, when it should try again. */
  take(whenFree: () => void): boolean {
    if (this.#taken < this.#limit) {
      this.#taken++
      return true
    }
    this.#waiting.add(whenFree)
    return false
  }

  /** Gives a place back. */
  free(): void {
    this.#taken--
    // One that is called may find that it needs no place: then the next is called.
    for (const next of this.#waiting) {
      if (this.#taken >= this.#limit) return
      this.#waiting.delete(next)
      next()
    }
  }

  /** No longer waits; harmless when it does not. */
  forget(whenFree: () => void): void {
    this.#waiting.delete(whenFree)
  }
}
