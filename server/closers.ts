// What was opened so far, so that it can be closed. Knows no part of the server.

/** Closes in reverse, each even when another fails. */
export class Closers {
  readonly #closers: (() => void | Promise<void>)[] = []

  add(close: () => void | Promise<void>): void {
    this.#closers.push(close)
  }

  async close(onError: (error: unknown) => void): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close()
      } catch (error) {
        onError(error)
      }
    }
  }
}
