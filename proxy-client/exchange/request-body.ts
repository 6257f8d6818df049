// One attempt's view of a request body. It can be destroyed, as pools do, without touching the client's connection.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** Pulls from the message only when it is itself pulled; ends, or fails, as the message does. */
export class RequestBody extends Readable {
  readonly #message: IncomingMessage
  #isAttached = false

  constructor(message: IncomingMessage) {
    super()
    this.#message = message
  }

  override _read(): void {
    if (!this.#isAttached) this.#attach()
    this.#message.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#isAttached) {
      this.#isAttached = false
      this.#message.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
      // What is left of the body is read and dropped, so that the connection can serve its next request.
      this.#message.resume()
    }
    done(error)
  }

  #attach(): void {
    this.#isAttached = true
    this.#message.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose)
  }

  readonly #onData = (chunk: Buffer): void => {
    if (!this.push(chunk)) this.#message.pause()
  }

  readonly #onEnd = (): void => {
    this.push(null)
  }

  readonly #onClose = (): void => {
    if (!this.#message.complete) this.destroy(new Error('the client left in the middle of its request body'))
  }
}
