// Messages to bytes and back by the field tables. Knows no call and no connection.
import protobuf from 'protobufjs/light.js'
import { etcdFieldTables } from './field-tables.ts'

const messages = protobuf.Root.fromJSON(etcdFieldTables)

/** 64-bit numbers as decimal texts; what is absent on the wire has its default. */
const decoded = { longs: String, defaults: true, arrays: true } as const

/** Encodes plain objects as the named message; 64-bit numbers may be numbers or decimal texts. */
export function encoder<Q extends object>(name: string): (request: Q) => Buffer {
  const type = messages.lookupType(name)
  return request => {
    const bytes = type.encode(type.fromObject(request)).finish()
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
}

/** Decodes the named message; throws when the bytes are none. `A` must be what the field table says. */
export function decoder<A extends object>(name: string): (bytes: Uint8Array) => A {
  const type = messages.lookupType(name)
  // The field table is this type's only other place: messages.ts holds the two side by side.
  return bytes => type.toObject(type.decode(bytes), decoded) as A
}
