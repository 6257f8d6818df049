// Cuts a stream of bytes into lines. Holds at most one unfinished line.

const newline = 0x0a
/** No object of an API server is larger than a few megabytes. */
const maxLineBytes = 32 << 20

export class LineSplitter {
  readonly #parts: Buffer[] = []
  #bytes = 0

  /** Whether the stream stopped within a line. */
  get isWithinLine(): boolean {
    return this.#bytes > 0
  }

  /** The lines that the chunk ends, without their newline. Throws when an unfinished line grows without bound. */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let from = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      const last = chunk.subarray(from, end)
      from = end + 1
      const line = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last])
      this.#parts.length = 0
      this.#bytes = 0
      if (line.length > 0) yield line
    }
    this.#keep(chunk.subarray(from))
  }

  #keep(rest: Buffer): void {
    if (rest.length === 0) return
    this.#parts.push(rest)
    this.#bytes += rest.length
    if (this.#bytes > maxLineBytes) throw new Error(`a line of more than ${maxLineBytes} bytes`)
  }
}
