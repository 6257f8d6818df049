// A watch over HTTP: frames as newline-delimited JSON or as server-sent events, the newest only, with heartbeats.
import type { ServerResponse } from 'node:http'
import type { Cell } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { Frame } from './frame.ts'
import type { LatestWriter } from './latest-writer.ts'
import { eventStreamType, type ndjsonType } from './media-type.ts'
import type { OpenStreams } from './open-streams.ts'
import type { StreamKind } from './stream-metrics.ts'

/** How often a stream that has nothing new says that it is alive. */
export const heartbeatMs = 15_000

export interface WatchStreamOptions {
  readonly kind: StreamKind
  readonly cell: Cell<Frame>
  /** Where the first frame comes from; `cell` when absent. */
  readonly first?: Cell<Frame>
  readonly clock: Clock
  readonly streams: OpenStreams
  readonly format: typeof ndjsonType | typeof eventStreamType
  /** The hash that the client holds: a first frame of this hash is not sent. */
  readonly from?: string | undefined
  /** The namespace's version for heartbeats, which may have grown without a change of content. */
  readonly presentVersion: () => number
}

/** Sends headers and then frames until the reader leaves or the server stops. Takes the response over. */
export function streamFrames(response: ServerResponse, options: WatchStreamOptions): void {
  const { format, streams, cell } = options
  response.writeHead(200, {
    'content-type': format,
    'cache-control': 'no-store',
    vary: 'Accept',
    'x-accel-buffering': 'no',
  })
  const stream = new FrameStream(response, options)
  let isFirst = true
  const unwatch = cell.watch(delivered => {
    const state = isFirst ? (options.first ?? cell).peek() : delivered
    isFirst = false
    if (state.kind === 'ok') stream.show(state.value)
  })
  if (stream.isSilent) response.flushHeaders()
  streams.add(response, () => {
    unwatch()
    stream.stop()
  })
}

class FrameStream {
  readonly #options: WatchStreamOptions
  readonly #writer: LatestWriter
  readonly #isEvents: boolean
  #frame: Frame | undefined
  /** The hash that the reader holds, when it has not been told anything yet. */
  #held: string | undefined
  #shownHash: string
  #shownKey: string | undefined
  #heartbeat: Cancel

  constructor(response: ServerResponse, options: WatchStreamOptions) {
    this.#options = options
    this.#isEvents = options.format === eventStreamType
    this.#held = options.from
    this.#shownHash = options.from ?? ''
    this.#writer = options.streams.writer(options.kind, response, () => this.#encoded())
    this.#heartbeat = options.clock.after(heartbeatMs, this.#beat)
  }

  get isSilent(): boolean {
    return this.#writer.written === 0
  }

  /** A reader that comes back keeps what it holds while the answer is pending. */
  show(frame: Frame): void {
    if (this.#held !== undefined) {
      if (frame.isPending) return
      const isKnown = this.#held === frame.hash
      this.#held = undefined
      if (isKnown) this.#shownKey = frame.key
    }
    this.#frame = frame
    this.#writer.changed()
  }

  stop(): void {
    this.#writer.stop()
    this.#heartbeat()
  }

  #encoded(): Buffer | undefined {
    const frame = this.#frame
    if (frame === undefined || frame.key === this.#shownKey) return undefined
    this.#shownHash = frame.hash
    this.#shownKey = frame.key
    return this.#isEvents ? frame.message() : frame.line()
  }

  readonly #beat = (): void => {
    this.#heartbeat = this.#options.clock.after(heartbeatMs, this.#beat)
    if (this.#writer.isBusy || this.#shownHash === '') return
    const hash = this.#shownHash
    const event = JSON.stringify({ type: 'heartbeat', dtabVersion: this.#options.presentVersion(), hash })
    this.#writer.write(this.#isEvents ? `event: heartbeat\nid: ${hash}\ndata: ${event}\n\n` : `${event}\n`)
  }
}
