// Writes protobuf fields straight into bytes. It has the methods of protobufjs' Writer that are used here; that one keeps an
// object per field until it is finished, which in a burst of 100,000 small messages is most of the work. Knows no message.

const initialBytes = 256
/** Longer texts are left to the runtime, whose encoder is faster then. */
const maxBytesByHand = 64

/** One message at a time; finish and begin again. Numbers are what protobuf calls uint32 unless said otherwise. */
export class ByteWriter {
  #buffer = Buffer.allocUnsafeSlow(initialBytes)
  #length = 0
  /** Where the bodies of the messages that are open begin. */
  readonly #open: number[] = []

  /** Bytes so far. */
  get len(): number {
    return this.#length
  }

  /** Forgets what was written, be it whole or not. */
  clear(): this {
    this.#length = 0
    this.#open.length = 0
    return this
  }

  uint32(value: number): this {
    this.#reserve(5)
    this.#varint(value)
    return this
  }

  /** A whole number up to 2^53. */
  uint64(value: number): this {
    this.#reserve(10)
    let rest = value
    for (; rest > 0xffffffff; rest = Math.floor(rest / 128)) this.#buffer[this.#length++] = (rest % 128) | 128
    this.#varint(rest)
    return this
  }

  /** A whole number up to 2^53 in eight bytes. */
  fixed64(value: number): this {
    this.#reserve(8)
    this.#length = this.#buffer.writeUInt32LE(value % 0x1_0000_0000, this.#length)
    this.#length = this.#buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), this.#length)
    return this
  }

  bool(value: boolean): this {
    return this.uint32(value ? 1 : 0)
  }

  double(value: number): this {
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleLE(value, this.#length)
    return this
  }

  /** Bytes with their length before them. */
  bytes(value: Uint8Array): this {
    this.uint32(value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
    return this
  }

  /** A text of one character per byte, with its length before it. */
  latin1(value: string): this {
    this.uint32(value.length)
    this.#reserve(value.length)
    if (value.length > maxBytesByHand) this.#buffer.write(value, this.#length, 'latin1')
    else for (let i = 0; i < value.length; i++) this.#buffer[this.#length + i] = value.charCodeAt(i)
    this.#length += value.length
    return this
  }

  /** A text as UTF-8, with its length before it. */
  string(value: string): this {
    if (value.length <= maxBytesByHand && isAscii(value)) return this.latin1(value)
    const length = Buffer.byteLength(value)
    this.uint32(length)
    this.#reserve(length)
    this.#buffer.write(value, this.#length)
    this.#length += length
    return this
  }

  /** Begins a message inside the message; end it with ldelim. */
  fork(): this {
    this.#reserve(1)
    this.#open.push(++this.#length)
    return this
  }

  /** Ends the message begun last and puts its length before it. */
  ldelim(): this {
    const start = this.#open.pop()
    if (start === undefined) throw new Error('ldelim without fork')
    const size = this.#length - start
    if (size < 128) this.#buffer[start - 1] = size
    else this.#widen(start, size)
    return this
  }

  /** The message, in bytes that are the caller's. */
  finish(): Buffer {
    const message = Buffer.allocUnsafe(this.#length)
    this.#buffer.copy(message, 0, 0, this.#length)
    this.clear()
    return message
  }

  /** One byte was kept for the length, and it needs more. */
  #widen(start: number, size: number): void {
    const extra = varintLength(size) - 1
    this.#reserve(extra)
    this.#buffer.copyWithin(start + extra, start, this.#length)
    const end = this.#length + extra
    this.#length = start - 1
    this.#varint(size)
    this.#length = end
  }

  #varint(value: number): void {
    let rest = value >>> 0
    for (; rest > 127; rest >>>= 7) this.#buffer[this.#length++] = (rest & 127) | 128
    this.#buffer[this.#length++] = rest
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** Bytes that a number takes as a varint. */
export function varintLength(value: number): number {
  let length = 1
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++
  return length
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}
