// A stream of one message: an explanation, then the end. Knows nothing of what is explained.

import type { PushContext } from '../push/push-context.ts'
import { type PushProtocol, PushStream } from '../push/push-stream.ts'
import type { CallEnd } from './mesh-errors.ts'
import type { MeshCall } from './mesh-stream.ts'

export class ExplanationStream implements PushProtocol {
  readonly #stream: PushStream
  readonly #giveUp: () => void
  #message: Buffer | undefined

  /** Takes the call over. `begin` is given what takes the message, or the end without one, and gives what ends the wait for it. */
  constructor(call: MeshCall, push: PushContext, begin: (answer: (outcome: Buffer | CallEnd) => void) => () => void) {
    this.#stream = new PushStream(call, this, push)
    this.#giveUp = begin(outcome => this.#answer(outcome))
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
    this.#giveUp()
    return false
  }

  #answer(outcome: Buffer | CallEnd): void {
    if (!Buffer.isBuffer(outcome)) {
      this.#stream.end(outcome.code, outcome.details)
      return
    }
    this.#message = outcome
    this.#stream.wake()
  }
}
