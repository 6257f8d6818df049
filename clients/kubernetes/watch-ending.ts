// The end of one watch, from within or without.

/** Ends one watch for a reason that is found here, or when the whole follow ends. */
export class WatchEnding {
  readonly signal: AbortSignal
  readonly #own = new AbortController()

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#own.signal])
  }

  abort(reason?: unknown): void {
    this.#own.abort(reason)
  }
}
