// The framing of a chunked body (RFC 9112, 7.1), byte by byte: sizes are read, extensions are bounded and passed by.
// Knows neither payload nor trailers.
import type { MessageProblem } from './message.ts'
import { extensionBytes, hexValues } from './octets.ts'
import { malformed, tooLong } from './problem.ts'

const Phase = { size: 0, extension: 1, sizeFeed: 2, payloadReturn: 3, payloadFeed: 4 } as const

const cr = 0x0d
const lf = 0x0a
const semicolon = 0x3b

/** So many hexadecimal digits always make a safe integer. */
const maxDigits = 13

/** Reads the line that gives the size of a chunk, with the line end of the chunk before it. */
export class ChunkScan {
  /** The size, once `isWhole`; 0 is the last chunk. */
  size = 0
  isWhole = false
  problem: MessageProblem | undefined = undefined
  readonly #maxExtensionBytes: number
  #phase: number = Phase.size
  #digits = 0
  #extensionBytes = 0

  /** The limit is for all the extensions of one body. */
  constructor(maxExtensionBytes: number) {
    this.#maxExtensionBytes = maxExtensionBytes
  }

  /** Makes ready for the first chunk of a body. */
  begin(): void {
    this.#extensionBytes = 0
    this.problem = undefined
    this.#expect(Phase.size)
  }

  /** Makes ready for the chunk after one whose payload has come. */
  next(): void {
    this.#expect(Phase.payloadReturn)
  }

  /** Feeds bytes; gives the index of the first that was not taken. */
  read(chunk: Buffer, from: number): number {
    for (let p = from; p < chunk.length; p++) {
      this.problem = this.#take(chunk[p] ?? 0)
      if (this.problem !== undefined) return p
      if (this.isWhole) return p + 1
    }
    return chunk.length
  }

  #expect(phase: number): void {
    this.#phase = phase
    this.#digits = 0
    this.size = 0
    this.isWhole = false
  }

  #take(byte: number): MessageProblem | undefined {
    switch (this.#phase) {
      case Phase.size:
        return this.#takeDigit(byte)
      case Phase.extension:
        return this.#takeExtension(byte)
      case Phase.sizeFeed:
        this.isWhole = byte === lf
        return this.isWhole ? undefined : malformed('The line of a chunk size does not end with CR and LF.')
      case Phase.payloadReturn:
        this.#phase = Phase.payloadFeed
        return byte === cr ? undefined : malformed('A chunk is longer than its size.')
      default:
        this.#phase = Phase.size
        return byte === lf ? undefined : malformed('A chunk does not end with CR and LF.')
    }
  }

  #takeDigit(byte: number): MessageProblem | undefined {
    const value = hexValues[byte] ?? 255
    if (value < 16) {
      this.size = this.size * 16 + value
      return ++this.#digits > maxDigits ? malformed('A chunk size is too large.') : undefined
    }
    if (this.#digits === 0) return malformed('A chunk has no size.')
    if (byte !== cr && byte !== semicolon) return malformed('A chunk size is not a hexadecimal number.')
    this.#phase = byte === cr ? Phase.sizeFeed : Phase.extension
    return undefined
  }

  #takeExtension(byte: number): MessageProblem | undefined {
    if (byte === cr) {
      this.#phase = Phase.sizeFeed
      return undefined
    }
    if (extensionBytes[byte] !== 1) return malformed('A chunk extension holds a byte that may not stand there.')
    this.#extensionBytes++
    return this.#extensionBytes > this.#maxExtensionBytes ? tooLong('The chunk extensions are too long.') : undefined
  }
}
