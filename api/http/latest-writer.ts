// Writes the newest state of something to one response. A slow reader costs two bits, busy and dirty, never a queue.
import type { ServerResponse } from 'node:http'
import type { ReaderMeter } from './stream-metrics.ts'
import type { WritePace } from './write-pace.ts'

export interface LatestWriterOptions {
  readonly meter: ReaderMeter
  readonly pace: WritePace
}

/** Of one response; holds a listener on it while the reader is behind. Whoever makes it calls `stop`. */
export class LatestWriter {
  readonly #response: ServerResponse
  readonly #latest: () => Uint8Array | string | undefined
  readonly #options: LatestWriterOptions
  #isBusy = false
  #isDirty = false
  #written = 0

  /** `latest` is asked whenever the response can take more; undefined means that there is nothing to say. */
  constructor(response: ServerResponse, latest: () => Uint8Array | string | undefined, options: LatestWriterOptions) {
    this.#options = options
    this.#response = response
    this.#latest = latest
  }

  /** Whether the reader has not yet taken what was written last, or is about to be written to. */
  get isBusy(): boolean {
    return this.#isBusy || this.#isDirty
  }

  /** How often something was written. */
  get written(): number {
    return this.#written
  }

  /** Says that `latest` has something new; several calls while the reader is busy become one write. */
  changed(): void {
    if (this.#isDirty) this.#options.meter.conflated()
    else if (this.#isBusy || !this.#options.pace.admits(this.#writeLatest)) this.#setDirty(true)
    else this.#writeNow()
  }

  /** Writes at once; for the caller to ask `isBusy` first. */
  write(bytes: Uint8Array | string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return
    this.#written++
    this.#options.pace.wrote(bytes.length)
    if (this.#response.write(bytes)) return
    this.#isBusy = true
    this.#response.once('drain', this.#drained)
  }

  /** The reader has left: it owes nothing any more. */
  stop(): void {
    this.#options.pace.forget(this.#writeLatest)
    this.#setDirty(false)
  }

  readonly #drained = (): void => {
    this.#isBusy = false
    if (this.#isDirty) this.#writeLatest()
  }

  /** Called when the reader, or the server, may go on. */
  readonly #writeLatest = (): void => {
    if (!this.#options.pace.admits(this.#writeLatest)) return
    this.#setDirty(false)
    this.#writeNow()
  }

  #writeNow(): void {
    const bytes = this.#latest()
    if (bytes !== undefined) this.write(bytes)
  }

  #setDirty(isDirty: boolean): void {
    if (isDirty === this.#isDirty) return
    this.#isDirty = isDirty
    this.#options.meter.behind(isDirty ? 1 : -1)
  }
}
