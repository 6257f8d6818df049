// Work that must be done one after the other for one key, and side by side for different ones.

/** First come, first served. Holds nothing for a key that nobody waits for. */
export class LinePerKey {
  readonly #tails = new Map<string, Promise<void>>()

  /** Runs the work once all that was in line for the key before has ended, well or not. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key)
    const outcome = before === undefined ? work() : before.then(work)
    const tail = outcome.then(settled, settled).then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    })
    this.#tails.set(key, tail)
    return outcome
  }

  /** Resolves once nothing is in line. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values())
  }
}

const settled = (): void => {}
