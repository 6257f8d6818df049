// A signal that aborts when another does, or when nothing has moved a deadline on in time.
import type { Cancel, Clock } from '../../watch/clock.ts'

/** Armed again and again as things go well; the one who made it disposes it. */
export class Deadline implements Disposable {
  readonly #clock: Clock
  readonly #outer: AbortSignal
  readonly #inner = new AbortController()
  #cancel: Cancel | undefined

  constructor(clock: Clock, outer: AbortSignal) {
    this.#clock = clock
    this.#outer = outer
    if (outer.aborted) this.#inner.abort(outer.reason)
    else outer.addEventListener('abort', this.#abort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#inner.signal
  }

  /** Aborts with an error of this text unless armed again or disposed within `ms`. */
  arm(ms: number, text: string): void {
    this.#cancel?.()
    // One more turn: bytes that came while the process stood still must have their chance first.
    this.#cancel = this.#clock.after(ms, () => {
      this.#cancel = this.#clock.defer(() => this.#inner.abort(new DeadlineError(text)))
    })
  }

  [Symbol.dispose](): void {
    this.#cancel?.()
    this.#outer.removeEventListener('abort', this.#abort)
  }

  readonly #abort = (): void => {
    this.#cancel?.()
    this.#inner.abort(this.#outer.reason)
  }
}

/** Nothing came in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}
