// A stream of one message: an explanation, then the end. Knows nothing of what is explained.

import type { PushContext } from '../push/push-context.ts'
import { type PushProtocol, PushStream } from '../push/push-stream.ts'
import type { CallEnd } from './mesh-errors.ts'
import type { MeshCall } from './mesh-stream.ts'

export class ExplanationStream implements PushProtocol {
  readonly #stream: PushStream
  #message: Buffer | undefined

  /** Takes the call over: it is served until it ends. */
  constructor(call: MeshCall, push: PushContext) {
    this.#stream = new PushStream(call, this, push)
  }

  /** The message, or the end without one. Once. */
  answer(outcome: Buffer | CallEnd): void {
    if (!Buffer.isBuffer(outcome)) {
      this.#stream.end(outcome.code, outcome.details)
      return
    }
    this.#message = outcome
    this.#stream.wake()
  }

  nextMessage(): Buffer | undefined {
    const message = this.#message
    this.#message = undefined
    return message
  }

  messageTaken(): void {
    this.#stream.finish()
  }

  release(): boolean {
    this.#message = undefined
    return false
  }
}
