// One server that follows this one: told all versions that are gone by here, then each change, the newest only. At most one
// message is on its way, so a slow follower holds that much and one name for each namespace with news.
import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js'
import {
  decodeSpeaker,
  encodeFollowResponse,
  type FollowResponse,
  type WireDtabVersion,
} from '../../proto/server-versions.ts'
import type { Log } from '../../runtime/log.ts'
import type { Unwatch } from '../../watch/cell.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import type { ToldVersions } from '../servers.ts'

export type FollowStream = ServerDuplexStream<Buffer, Buffer>

export interface ServersSessionOptions {
  readonly selfId: string
  /** Of this software. */
  readonly version: string
  readonly told: ToldVersions
  readonly streams: () => number | undefined
  readonly clock: Clock
  readonly log: Log
}

/** How often a side that has nothing to say shows that it is alive. */
export const heartbeatMs = 1_000
/** A follower that was silent for so long is cut off. It is more patient than a follower, for nothing hangs on it. */
const followerSilenceMs = 10_000
/** Versions in one message; some 60 KB. */
const maxPerMessage = 2_000

const nobody = { id: '', version: '', isWhole: false, dtabs: [] } as const

/** Takes the stream over: it is served until it ends. */
export class ServersSession {
  readonly #stream: FollowStream
  readonly #options: ServersSessionOptions
  /** Namespaces whose version the follower does not have. */
  readonly #news = new Set<string>()
  readonly #unwatch: Unwatch
  #beat: Cancel
  #heardAt: number
  #follower = 'unknown'
  /** Whether the follower was told that it has everything, or is told with the last of the news. */
  #progress: 'waiting' | 'telling' | 'whole' = 'waiting'
  #isWriting = false
  #isClosed = false

  constructor(stream: FollowStream, options: ServersSessionOptions) {
    const { told, clock, selfId, version } = options
    this.#stream = stream
    this.#options = options
    this.#heardAt = clock.monotonic()
    this.#beat = clock.after(heartbeatMs, this.#onBeat)
    this.#unwatch = told.watch(changed => this.#take(changed))
    stream.on('data', (bytes: Buffer) => this.#hear(bytes))
    stream.on('end', () => this.#finish())
    for (const event of ['cancelled', 'error', 'close']) stream.on(event, () => this.#close())
    stream.sendMetadata(new Metadata())
    this.#write({ ...nobody, id: selfId, version })
    this.#take([])
  }

  /** Ends the stream with a status. */
  end(code: status, details: string): void {
    if (this.#isClosed) return
    this.#close()
    this.#stream.emit('error', Object.assign(new Error(details), { code, details }))
  }

  /** What is told before this server knows everything would be taken for everything. */
  #take(changed: Iterable<string>): void {
    if (this.#progress !== 'waiting') for (const namespace of changed) this.#news.add(namespace)
    else if (this.#options.told.isWhole()) {
      this.#progress = 'telling'
      for (const namespace of this.#options.told.namespaces()) this.#news.add(namespace)
    }
    this.#tell()
  }

  #tell(): void {
    if (this.#isWriting || this.#isClosed || (this.#news.size === 0 && this.#progress !== 'telling')) return
    const dtabs: WireDtabVersion[] = []
    for (const namespace of this.#news) {
      if (dtabs.length >= maxPerMessage) break
      this.#news.delete(namespace)
      dtabs.push({ namespace, version: this.#options.told.of(namespace) })
    }
    const isWhole = this.#progress === 'telling' && this.#news.size === 0
    if (isWhole) this.#progress = 'whole'
    this.#write({ ...nobody, isWhole, dtabs })
  }

  #write(message: FollowResponse): void {
    const streams = this.#options.streams()
    this.#isWriting = true
    this.#stream.write(encodeFollowResponse(streams === undefined ? message : { ...message, streams }), () => {
      this.#isWriting = false
      this.#tell()
    })
  }

  #hear(bytes: Buffer): void {
    this.#heardAt = this.#options.clock.monotonic()
    try {
      const { id } = decodeSpeaker(bytes)
      if (id !== '') this.#follower = id
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.end(status.INVALID_ARGUMENT, `The message does not decode: ${error.message}`)
    }
  }

  readonly #onBeat = (): void => {
    const { clock, log } = this.#options
    this.#beat = clock.after(heartbeatMs, this.#onBeat)
    if (clock.monotonic() - this.#heardAt > followerSilenceMs) {
      log.debug({ server: this.#follower }, 'A server that followed this one fell silent.')
      this.end(status.DEADLINE_EXCEEDED, 'Nothing was heard for too long.')
    } else if (!this.#isWriting) this.#write(nobody)
  }

  #finish(): void {
    this.#close()
    this.#stream.end()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#beat()
    this.#unwatch()
    this.#news.clear()
  }
}
