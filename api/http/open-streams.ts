// The watch streams that are open now, so that a stopping server can end them all. Knows nothing of what they carry.
import type { ServerResponse } from 'node:http'

/** Of one server; `close` ends what is in it. */
export class OpenStreams {
  readonly #ends = new Set<() => void>()
  readonly #streamed = new WeakSet<ServerResponse>()
  #isClosed = false

  get size(): number {
    return this.#ends.size
  }

  /** Whether a response is or was a stream. */
  hasStreamed(response: ServerResponse): boolean {
    return this.#streamed.has(response)
  }

  /** Takes a response whose headers are sent; `stop` runs once, when the reader leaves, `end` is called or the server stops. */
  add(response: ServerResponse, stop: () => void): { end(): void } {
    const end = (): void => {
      if (!this.#ends.delete(end)) return
      stop()
      if (!response.writableEnded) response.end()
    }
    this.#ends.add(end)
    this.#streamed.add(response)
    response.once('close', end)
    if (this.#isClosed) end()
    return { end }
  }

  /** Ends every stream cleanly, and each later one at once. */
  close(): void {
    this.#isClosed = true
    for (const end of [...this.#ends]) end()
  }
}
