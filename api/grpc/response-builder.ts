// Puts encoded parts together to one WatchResponse. Knows the wire's lengths and nothing of what the parts say.
import { varintLength } from '../../proto/byte-writer.ts'

const updateTag = 0x0a
const keyTag = 0x08
const initialBytes = 4096

/** A WatchResponse in the making; used again after each take. */
export class ResponseBuilder {
  #buffer = Buffer.allocUnsafe(initialBytes)
  #length = 0

  /** Bytes so far. */
  get length(): number {
    return this.#length
  }

  /** Appends one Update: of the tree with this key, or of the resource whose field is given; then the fields of its state. */
  add(resource: number | Uint8Array, content: Uint8Array, stale: Uint8Array | undefined): void {
    const resourceBytes = typeof resource === 'number' ? 1 + varintLength(resource) : resource.length
    const size = resourceBytes + content.length + (stale?.length ?? 0)
    this.#reserve(size + 6)
    this.#buffer[this.#length++] = updateTag
    this.#addVarint(size)
    if (typeof resource === 'number') this.#addKey(resource)
    else this.#addBytes(resource)
    this.#addBytes(content)
    if (stale !== undefined) this.#addBytes(stale)
  }

  /** The message; the builder is empty afterwards and the bytes are the caller's. */
  take(): Buffer {
    const message = Buffer.from(this.#buffer.subarray(0, this.#length))
    this.#length = 0
    return message
  }

  #addKey(key: number): void {
    this.#buffer[this.#length++] = keyTag
    this.#addVarint(key)
  }

  #addVarint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.#buffer[this.#length++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#buffer[this.#length++] = rest
  }

  #addBytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}
