// A socket without a network: a test decides when it opens, what comes and how it breaks. What is written is kept.
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { ReadInto } from '../../../proxy-client/pool/upstream-socket.ts'

export class ScriptedSocket extends EventEmitter {
  readonly #onread: ReadInto | undefined
  #buffer: Buffer | undefined
  written = ''
  isOpen = false
  isPaused = false
  destroyed = false
  readonly writableLength = 0

  constructor(onread: ReadInto | undefined) {
    super()
    this.#onread = onread
    this.#buffer = onread?.buffer()
  }

  /** For the pool, which uses no more of a socket than is here. */
  get asSocket(): Socket {
    return this as unknown as Socket // a fake
  }

  get isPlain(): boolean {
    return this.#onread === undefined
  }

  open(): void {
    this.isOpen = true
    this.emit('connect')
  }

  /** One read. */
  receive(text: string): void {
    const bytes = Buffer.from(text, 'latin1')
    if (this.#onread === undefined || this.#buffer === undefined) {
      this.emit('data', bytes)
      return
    }
    bytes.copy(this.#buffer)
    this.#onread.callback(bytes.length)
    this.#buffer = this.#onread.buffer()
  }

  end(): void {
    this.emit('end')
  }

  /** An ordinary socket destroys itself before it tells of an error. */
  fail(message: string): void {
    this.destroyed = true
    this.emit('error', new Error(message))
  }

  write(text: string | Buffer): boolean {
    this.written += text.toString('latin1')
    return true
  }

  destroy(): this {
    this.destroyed = true
    return this
  }

  pause(): this {
    this.isPaused = true
    return this
  }

  resume(): this {
    this.isPaused = false
    return this
  }

  cork(): void {}

  uncork(): void {}
}
