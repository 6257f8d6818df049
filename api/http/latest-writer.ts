// Writes the newest state of something to one response. A slow reader costs two bits, busy and dirty, never a queue.
import type { ServerResponse } from 'node:http'

/** Of one response; holds a listener on it while the reader is behind. */
export class LatestWriter {
  readonly #response: ServerResponse
  readonly #latest: () => Uint8Array | string | undefined
  #isBusy = false
  #isDirty = false
  #written = 0

  /** `latest` is asked whenever the response can take more; undefined means that there is nothing to say. */
  constructor(response: ServerResponse, latest: () => Uint8Array | string | undefined) {
    this.#response = response
    this.#latest = latest
  }

  /** Whether the reader has not yet taken what was written last. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** How often something was written. */
  get written(): number {
    return this.#written
  }

  /** Says that `latest` has something new; several calls while the reader is busy become one write. */
  changed(): void {
    if (this.#isBusy) {
      this.#isDirty = true
      return
    }
    const bytes = this.#latest()
    if (bytes !== undefined) this.write(bytes)
  }

  /** Writes at once; for the caller to ask `isBusy` first. */
  write(bytes: Uint8Array | string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return
    this.#written++
    if (this.#response.write(bytes)) return
    this.#isBusy = true
    this.#response.once('drain', this.#drained)
  }

  readonly #drained = (): void => {
    this.#isBusy = false
    if (!this.#isDirty) return
    this.#isDirty = false
    this.changed()
  }
}
