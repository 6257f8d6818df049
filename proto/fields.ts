// The few moves that every hand-written protobuf reader and writer here is made of. Knows no message.
import type protobuf from 'protobufjs/minimal.js'

type Reader = protobuf.Reader

/** Wire type of messages, strings and bytes (https://protobuf.dev/programming-guides/encoding/). */
export const lengthDelimited = 2

export function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType
}

/** Offers each field up to `end`; what `take` answers false to is skipped. Throws a RangeError when the bytes end early. */
export function eachField(reader: Reader, end: number, take: (field: number, wireType: number) => boolean): void {
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (!take(tag >>> 3, tag & 7)) reader.skipType(tag & 7)
  }
  if (reader.pos > end) throw new RangeError('a field is longer than its message')
}

/** A message inside a message: `read` gets the reader and where the inner one ends. */
export function readMessage<T>(reader: Reader, read: (reader: Reader, end: number) => T): T {
  const length = reader.uint32()
  const end = reader.pos + length
  if (end > reader.len) throw new RangeError('a field is longer than its message')
  return read(reader, end)
}

/** Bytes as text of one character each. */
export function readLatin1(reader: Reader): string {
  const length = reader.uint32()
  const start = reader.pos
  reader.skip(length)
  return Buffer.from(reader.buf.buffer, reader.buf.byteOffset + start, length).toString('latin1')
}

/** Runs a decoder of bytes from outside: whatever it throws becomes a RangeError that says what is wrong with them. */
export function decoding<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof RangeError) throw error
    throw new RangeError(error instanceof Error ? error.message : 'the bytes cannot be read', { cause: error })
  }
}
