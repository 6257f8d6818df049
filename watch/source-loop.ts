// The loop of every backend watch: attempt after attempt until it is closed, backing off after errors. Knows nothing of
// what an attempt does.
import type { Clock, Random } from './clock.ts'

export interface SourceLoopOptions {
  readonly clock: Clock
  readonly random: Random
  /** Closes the loop, as the returned function does. */
  readonly signal?: AbortSignal
  /**
   * One try, from connecting to the end of what the backend has to say; it should end soon after the signal aborts.
   * It calls `succeeded` when the backend answered well, so that a failure after that backs off from the start.
   */
  readonly attempt: (signal: AbortSignal, succeeded: () => void) => Promise<void>
  /** The nth wait after errors in a row is drawn evenly from minMs up to min(maxMs, minMs * 2^n). */
  readonly backoff: { readonly minMs: number; readonly maxMs: number }
  /** Told of each failed attempt and of when the next one begins, in ms since 1970. Must not throw. */
  readonly onError: (error: unknown, retryAt: number) => void
  /** How long the backend asks to be left alone after this error, in ms; the back-off where it is longer, or when absent. */
  readonly askedWaitMs?: (error: unknown) => number | undefined
}

/**
 * Runs attempts until closed: the next one at once (at the next turn) after a clean end, after a back-off when the last
 * one failed. Gives its close, harmless when called twice; after it no attempt begins and onError is not called.
 */
export function runSourceLoop(options: SourceLoopOptions): () => void {
  const loop = new SourceLoop(options)
  loop.begin()
  return loop.close
}

class SourceLoop {
  readonly #options: SourceLoopOptions
  readonly #closing = new AbortController()
  #failures = 0
  #cancelNext: (() => void) | undefined

  constructor(options: SourceLoopOptions) {
    this.#options = options
  }

  readonly close = (): void => {
    this.#options.signal?.removeEventListener('abort', this.close)
    this.#cancelNext?.()
    this.#closing.abort()
  }

  begin(): void {
    const { signal } = this.#options
    if (signal?.aborted) return
    signal?.addEventListener('abort', this.close, { once: true })
    this.#attempt()
  }

  readonly #attempt = (): void => {
    this.#run().then(
      () => this.#ended(),
      error => this.#failed(error),
    )
  }

  /** Async, so that an attempt that throws at once is an attempt that failed. */
  async #run(): Promise<void> {
    await this.#options.attempt(this.#closing.signal, this.#succeeded)
  }

  readonly #succeeded = (): void => {
    this.#failures = 0
  }

  #ended(): void {
    if (this.#closing.signal.aborted) return
    this.#failures = 0
    this.#cancelNext = this.#options.clock.defer(this.#attempt)
  }

  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return
    const { clock, onError } = this.#options
    const waitMs = Math.max(this.#nextWaitMs(), this.#options.askedWaitMs?.(error) ?? 0)
    this.#cancelNext = clock.after(waitMs, this.#attempt)
    onError(error, clock.now() + waitMs)
  }

  #nextWaitMs(): number {
    const { minMs, maxMs } = this.#options.backoff
    this.#failures++
    const ceilingMs = Math.min(maxMs, minMs * 2 ** this.#failures)
    return minMs + this.#options.random() * Math.max(0, ceilingMs - minMs)
  }
}
