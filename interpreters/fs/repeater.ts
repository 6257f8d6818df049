// Runs one asynchronous job at a time. Calls during a run lead to exactly one more run, so that nothing queues up.

export class Repeater {
  readonly #job: () => Promise<void>
  readonly #onError: (error: unknown) => void
  #next: PromiseWithResolvers<void> | undefined
  #isRunning = false

  /** onError is told of a rejection; the repeater goes on. */
  constructor(job: () => Promise<void>, onError: (error: unknown) => void) {
    this.#job = job
    this.#onError = onError
  }

  /** As `run`, for a caller that does not wait. */
  ask(): void {
    void this.run()
  }

  /** Resolves when a run that began after this call has ended; never rejects. */
  run(): Promise<void> {
    this.#next ??= Promise.withResolvers()
    const { promise } = this.#next
    if (!this.#isRunning) void this.#loop()
    return promise
  }

  async #loop(): Promise<void> {
    this.#isRunning = true
    for (let run = this.#take(); run !== undefined; run = this.#take()) {
      try {
        await this.#job()
      } catch (error) {
        this.#onError(error)
      }
      run.resolve()
    }
    this.#isRunning = false
  }

  #take(): PromiseWithResolvers<void> | undefined {
    const next = this.#next
    this.#next = undefined
    return next
  }
}
