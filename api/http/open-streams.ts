// The watch streams that are open now: what they share, and how a stopping server ends them all. Knows nothing of what they carry.
import type { ServerResponse } from 'node:http'
import type { Metrics } from '../../runtime/metrics.ts'
import type { Clock } from '../../watch/clock.ts'
import { LatestWriter } from './latest-writer.ts'
import { createStreamMetrics, type ReaderMeter, type StreamKind } from './stream-metrics.ts'
import { WritePace } from './write-pace.ts'

/** Of one server; `close` ends what is in it. */
export class OpenStreams {
  readonly #meterOf: (kind: StreamKind) => ReaderMeter
  readonly #pace: WritePace
  readonly #ends = new Set<() => void>()
  readonly #streamed = new WeakSet<ServerResponse>()
  #isClosed = false

  constructor({ clock, metrics }: { readonly clock: Clock; readonly metrics: Metrics }) {
    this.#pace = new WritePace(clock)
    this.#meterOf = createStreamMetrics(metrics)
  }

  /** A writer of this kind of stream; `latest` as LatestWriter asks it. Its `stop` belongs into that of `add`. */
  writer(kind: StreamKind, response: ServerResponse, latest: () => Uint8Array | string | undefined): LatestWriter {
    return new LatestWriter(response, latest, { meter: this.#meterOf(kind), pace: this.#pace })
  }

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
