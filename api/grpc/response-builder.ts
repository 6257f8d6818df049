// Puts encoded parts together to one WatchResponse. Knows the wire's lengths and nothing of what the updates say.
import type { Path } from '../../naming/path.ts'
import { ByteWriter, varintLength } from '../../proto/byte-writer.ts'
import { lengthDelimited, tagOf } from '../../proto/fields.ts'
import { writePath } from '../../proto/naming-values.ts'
import type { Move } from '../../proto/watch-responses.ts'

const updateTag = tagOf(1, lengthDelimited)
const sequenceTag = tagOf(2, 0)
const pieceTag = tagOf(3, lengthDelimited)
const wantsHeldTag = tagOf(4, 0)
const unknownKeyTag = tagOf(5, 0)
const unknownIdTag = tagOf(6, lengthDelimited)
const moveTag = tagOf(7, lengthDelimited)
const ackWithinTag = tagOf(8, 0)
const keyTag = tagOf(1, 0)
const initialBytes = 4096
/** For what is sent seldom. */
const scratch = new ByteWriter()

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

  /** Appends a part of an Update's bytes, of which there is one in a message at most. */
  addPiece(bytes: Uint8Array, begins: boolean, ends: boolean): void {
    scratch.clear().uint32(pieceTag).fork().uint32(tagOf(1, lengthDelimited)).bytes(bytes)
    if (begins) scratch.uint32(tagOf(2, 0)).bool(true)
    if (ends) scratch.uint32(tagOf(3, 0)).bool(true)
    this.#append(scratch.ldelim().finish())
  }

  /** The client is to say what it holds. */
  wantHeld(): void {
    this.#append(scratch.clear().uint32(wantsHeldTag).bool(true).finish())
  }

  /** A name, by the key that the client gave it, or a replica set that the client is to subscribe to again. */
  addUnknown(resource: number | Path): void {
    if (typeof resource === 'number') scratch.clear().uint32(unknownKeyTag).uint32(resource)
    else writePath(scratch.clear().uint32(unknownIdTag).fork(), resource).ldelim()
    this.#append(scratch.finish())
  }

  addMove({ withinMs, reason }: Move): void {
    scratch.clear().uint32(moveTag).fork().uint32(tagOf(1, 0)).uint64(withinMs)
    this.#append(scratch.uint32(tagOf(2, lengthDelimited)).string(reason).ldelim().finish())
  }

  /**
   * The message with its number, at most 2^31; 0 in a stream that does not count. `ackWithinMs`: when it is to be acknowledged,
   * 0 for at once. The builder is empty afterwards and the
   * bytes are the caller's.
   */
  take(sequence = 0, ackWithinMs = 0): Buffer {
    if (sequence > 0) this.#addNumber(sequenceTag, sequence)
    if (ackWithinMs > 0) this.#addNumber(ackWithinTag, ackWithinMs)
    const message = Buffer.from(this.#buffer.subarray(0, this.#length))
    this.#length = 0
    return message
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#addBytes(bytes)
  }

  #addNumber(tag: number, value: number): void {
    this.#reserve(6)
    this.#buffer[this.#length++] = tag
    this.#addVarint(value)
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
