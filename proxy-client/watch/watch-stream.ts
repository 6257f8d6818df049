// One stream to one server, from the first byte to its end: one message on its way at a time. Knows nothing of names, nor of
// what comes after it.
import {
  type ChannelOptions,
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type StatusObject,
} from '@grpc/grpc-js'
import { namingService } from '../../proto/naming-service.ts'
import { plainFailure, pushbackMsOf } from '../../runtime/grpc-failure.ts'
import type { Log } from '../../runtime/log.ts'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { serverChannel } from '../server-channel.ts'

export interface WatchStreamOptions {
  readonly address: string
  readonly clock: Clock
  readonly log: Log
  /** Over those of server-channel.ts. */
  readonly channelOptions?: ChannelOptions
}

export interface StreamEnd {
  /** Half a sentence: `it does not answer`. */
  readonly why: string
  /** The server asks not to be called again for so long. */
  readonly pushbackMs?: number
}

/** Told in this order: opened, then received and sendable in any order, then ended, once, unless the stream is closed from here. */
export interface StreamEvents {
  opened(stream: WatchStream): void
  received(stream: WatchStream, message: Buffer): void
  /** The last message has been taken. */
  sendable(stream: WatchStream): void
  ended(stream: WatchStream, end: StreamEnd): void
}

const openTimeoutMs = 5_000

/** Connects at once, on a connection of its own. */
export class WatchStream {
  readonly address: string
  readonly #clock: Clock
  readonly #events: StreamEvents
  readonly #client: Client
  readonly #call: ClientDuplexStream<Uint8Array, Buffer>
  readonly #cancelTimeout: Cancel
  /** On the monotonic clock. */
  #openedAt: number | undefined
  #since = 0
  #isSending = false
  #isOver = false

  constructor({ address, clock, log, channelOptions }: WatchStreamOptions, events: StreamEvents) {
    this.address = address
    this.#clock = clock
    this.#events = events
    this.#client = new Client(address, credentials.createInsecure(), { ...serverChannel, ...channelOptions })
    const { path, requestSerialize, responseDeserialize } = namingService.Watch
    this.#call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, new Metadata())
    this.#cancelTimeout = clock.after(openTimeoutMs, () => this.fail('it does not answer'))
    this.#call.on('metadata', () => this.#open())
    this.#call.on('data', (message: Buffer) => {
      if (!this.#isOver) events.received(this, message)
    })
    this.#call.on('status', (status: StatusObject) => this.#end(endOf(status)))
    this.#call.on('error', error => log.debug({ err: error, address }, 'The stream to the naming server failed.'))
  }

  /** When the server answered, in ms since 1970; 0 before. */
  get since(): number {
    return this.#since
  }

  /** How long it has stood, in ms; 0 before the server has answered. */
  get ageMs(): number {
    return this.#openedAt === undefined ? 0 : this.#clock.monotonic() - this.#openedAt
  }

  get canSend(): boolean {
    return this.#openedAt !== undefined && !this.#isSending && !this.#isOver
  }

  /** Sends one message; only when canSend. */
  send(message: Uint8Array): void {
    this.#isSending = true
    this.#call.write(message, () => {
      this.#isSending = false
      if (!this.#isOver) this.#events.sendable(this)
    })
  }

  /** Ends it for a reason, of which `ended` is told. */
  fail(why: string): void {
    this.#end({ why })
  }

  /** Ends it in silence; harmless when called twice, and when it is over. */
  close(): void {
    this.#isOver = true
    this.#cancelTimeout()
    this.#call.cancel()
    this.#client.close()
  }

  #open(): void {
    if (this.#isOver || this.#openedAt !== undefined) return
    this.#cancelTimeout()
    this.#openedAt = this.#clock.monotonic()
    this.#since = this.#clock.now()
    this.#events.opened(this)
  }

  #end(end: StreamEnd): void {
    if (this.#isOver) return
    this.close()
    this.#events.ended(this, end)
  }
}

function endOf({ details, metadata }: StatusObject): StreamEnd {
  const why = plainFailure(details) || 'it ended the stream'
  const pushbackMs = pushbackMsOf(metadata)
  return pushbackMs === undefined ? { why } : { why, pushbackMs }
}
