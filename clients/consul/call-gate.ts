// At most so many calls at once; the others wait in the order in which they came. Knows nothing of what is called.

export class CallGate {
  readonly #limit: number
  readonly #waiting = new Set<() => void>()
  #inUse = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get inUse(): number {
    return this.#inUse
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** Runs it when it is its turn; rejects with the signal's reason when that aborts before. */
  async run<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    if (this.#inUse >= this.#limit) await this.#turn(signal)
    else this.#inUse++
    try {
      signal.throwIfAborted()
      return await call()
    } finally {
      this.#leave()
    }
  }

  /** Resolves with a place that was handed over, so that nobody who comes later takes it. */
  #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(enter)
        reject(signal.reason)
      }
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      this.#waiting.add(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #leave(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#inUse--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
