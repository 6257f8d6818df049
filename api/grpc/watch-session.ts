// One Watch stream: reads requests piece by piece, and writes the newest states whenever the peer has taken the last message.
// At most one message is on its way, so a slow peer holds that much and no more. Knows nothing of names.
import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js'
import { WatchRequestReader } from '../../proto/watch-requests.ts'
import type { WatchContext } from './watch-context.ts'
import { WatchSubscriptions } from './watch-subscriptions.ts'
import type { Task } from './work-queue.ts'

/** A message is sent when it has this many bytes, or when there is nothing more to say. */
const messageBytes = 65_536
/** Parts of a request, or subscriptions to give up, that one piece of work takes on. */
const partsPerPiece = 64
/** Requests wait while so many names have news and the peer takes none: who does not read is not read. */
const maxNewsUnread = 4096
/** While a request is being read, updates wait until there are so many, so that messages are not tiny. */
const newsWorthAMessage = 512

export type WatchStream = ServerDuplexStream<Buffer, Buffer>

export class WatchSession implements Task {
  readonly #stream: WatchStream
  readonly #context: WatchContext
  readonly #subscriptions: WatchSubscriptions
  #request: WatchRequestReader | undefined
  #isWriting = false
  #isClosed = false

  /** Takes the stream over: it is served until it ends. */
  constructor(stream: WatchStream, context: WatchContext) {
    this.#stream = stream
    this.#context = context
    this.#subscriptions = new WatchSubscriptions(context, () => context.queue.add(this))
    context.streams++
    stream.on('data', (bytes: Buffer) => this.#receive(bytes))
    stream.on('end', () => this.#finish())
    for (const event of ['cancelled', 'error', 'close']) stream.on(event, () => this.#close())
    stream.sendMetadata(new Metadata())
  }

  work(): boolean {
    if (this.#isClosed) return this.#subscriptions.release(partsPerPiece)
    if (this.#canRead) this.#read()
    if (this.#canWrite && this.#isWorthWriting) this.#write()
    return this.#canRead || (this.#canWrite && this.#isWorthWriting)
  }

  /** Ends the stream with a status; subscriptions are given up in pieces afterwards. */
  end(code: status, details: string): void {
    if (this.#isClosed) return
    this.#close()
    this.#stream.emit('error', Object.assign(new Error(details), { code, details }))
  }

  get #canRead(): boolean {
    return this.#request !== undefined && !(this.#isWriting && this.#subscriptions.newsCount >= maxNewsUnread)
  }

  get #canWrite(): boolean {
    return !this.#isWriting && !this.#isClosed
  }

  get #isWorthWriting(): boolean {
    return this.#subscriptions.newsCount >= (this.#request === undefined ? 1 : newsWorthAMessage)
  }

  #receive(bytes: Buffer): void {
    this.#stream.pause()
    this.#request = new WatchRequestReader(bytes)
    this.#context.queue.add(this)
  }

  #read(): void {
    try {
      for (let parts = 0; parts < partsPerPiece; parts++) {
        const part = this.#request?.next()
        if (part === undefined) {
          this.#request = undefined
          this.#stream.resume()
          return
        }
        this.#subscriptions.apply(part)
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.end(status.INVALID_ARGUMENT, `The request does not decode: ${error.message}`)
    }
  }

  #write(): void {
    const { builder, counters } = this.#context
    while (builder.length < messageBytes && this.#subscriptions.writeNext());
    if (builder.length === 0) return
    this.#isWriting = true
    counters.messages.inc()
    this.#stream.write(builder.take(), () => {
      this.#isWriting = false
      if (this.#request !== undefined || this.#subscriptions.newsCount > 0) this.#context.queue.add(this)
    })
  }

  #finish(): void {
    this.#close()
    this.#stream.end()
  }

  #close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#request = undefined
    this.#context.streams--
    this.#context.queue.add(this)
  }
}
