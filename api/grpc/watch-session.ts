// One Watch stream: requests in, a piece at a time, and one message after the other out. Knows nothing of what is subscribed.
import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { WatchRequestReader } from '../../proto/watch-requests.ts'
import type { ProxyRecord } from '../push/proxy-registry.ts'
import { type PushProtocol, PushStream } from '../push/push-stream.ts'
import type { WatchContext } from './watch-context.ts'
import { WatchSubscriptions } from './watch-subscriptions.ts'

/** A message is closed when it has so many bytes; a single state may make it longer. */
const messageBytes = 65_536
/** Parts of a request, or subscriptions to give up, that one piece of work takes on. */
const partsPerPiece = 64
/** Requests wait while so many names have news and the peer takes none: who does not read is not read. */
const maxNewsUnread = 4096
/** While a request is being read, updates wait until there are so many, so that messages are not tiny. */
const newsWorthAMessage = 512

export type WatchCall = ServerDuplexStream<Buffer, Buffer>

export class WatchSession implements PushProtocol {
  readonly #call: WatchCall
  readonly #context: WatchContext
  readonly #proxy: ProxyRecord
  readonly #stream: PushStream
  readonly #subscriptions: WatchSubscriptions
  #request: WatchRequestReader | undefined
  #isGone = false

  /** Takes the call over: it is served until it ends. */
  constructor(call: WatchCall, context: WatchContext) {
    const address = call.getPeer()
    this.#call = call
    this.#context = context
    this.#proxy = context.ports.proxies.join({ protocol: 'nameplane.v1', confirms: true, address })
    this.#proxy.addStreams(1)
    this.#subscriptions = new WatchSubscriptions(context, {
      proxy: this.#proxy,
      client: hostOf(address),
      onMail: () => this.#stream.wake(),
    })
    this.#stream = new PushStream(call, this, context.push)
    context.streams++
    call.on('data', (bytes: Buffer) => this.#receive(bytes))
    call.on('end', () => this.#stream.finish())
  }

  work(): boolean {
    if (this.#canRead) this.#read()
    return this.#canRead
  }

  nextMessage(): Buffer | undefined {
    const worth = this.#request === undefined ? 1 : newsWorthAMessage
    if (this.#subscriptions.mailbox.readyCount < worth) return undefined
    const { builder } = this.#context
    while (builder.length < messageBytes && this.#subscriptions.writeNext());
    return builder.length === 0 ? undefined : builder.take()
  }

  release(): boolean {
    if (!this.#isGone) {
      this.#isGone = true
      this.#request = undefined
      this.#context.streams--
      this.#proxy.leave()
    }
    return this.#subscriptions.release(partsPerPiece)
  }

  /** Ends the stream with a status; subscriptions are given up in pieces afterwards. */
  end(code: status, details: string): void {
    this.#stream.end(code, details)
  }

  get #canRead(): boolean {
    const isUnread = this.#stream.unsentBytes > 0 && this.#subscriptions.mailbox.size >= maxNewsUnread
    return this.#request !== undefined && !isUnread && !this.#stream.isClosed
  }

  #receive(bytes: Buffer): void {
    this.#call.pause()
    this.#request = new WatchRequestReader(bytes)
    this.#stream.wake()
  }

  #read(): void {
    try {
      for (let parts = 0; parts < partsPerPiece; parts++) {
        const part = this.#request?.next()
        if (part === undefined) {
          this.#request = undefined
          this.#call.resume()
          return
        }
        this.#subscriptions.apply(part)
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.end(status.INVALID_ARGUMENT, `The request does not decode: ${error.message}`)
    }
  }
}

/** `1.2.3.4:5` without the port. */
function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(':')
  return colon < 0 ? peer : peer.slice(0, colon)
}
