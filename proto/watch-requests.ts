// Requests of a Watch stream and of Resolve: written by proxies, read by the server piece by piece. Knows no stream.
import protobuf from 'protobufjs/minimal.js'
import { emptyPath, type Path } from '../naming/path.ts'
import { ByteWriter } from './byte-writer.ts'
import { decoding, eachField, lengthDelimited, readLatin1, readMessage, tagOf } from './fields.ts'
import { readPath, writePath } from './naming-values.ts'
import type { WireHash } from './updates.ts'

type Reader = protobuf.Reader

/** A logical name as it is sent; dtab is the text of a local dtab, empty for none. */
export interface WireName {
  readonly namespace: string
  readonly path: Path
  readonly dtab: string
}

/** A name by the key of its subscription, or a replica set by its id. */
export type WireResource = number | Path

/** One part of a WatchRequest. Absent hash fields are the empty text; the fields are those of naming.proto. */
export type RequestPart =
  | { readonly kind: 'client'; readonly id: string; readonly version: string }
  | { readonly kind: 'unsubscribe'; readonly keys: readonly number[] }
  | { readonly kind: 'unsubscribe-replicas'; readonly id: Path }
  | { readonly kind: 'subscribe-replicas'; readonly id: Path; readonly hash: WireHash }
  | { readonly kind: 'subscribe'; readonly key: number; readonly name: WireName; readonly hash: WireHash }
  | {
      readonly kind: 'ack'
      readonly received: number
      readonly applied: number
      readonly digest: number
      readonly delayMs?: number
    }
  | { readonly kind: 'held'; readonly resource: WireResource; readonly hash: WireHash; readonly isStale: boolean }
  | { readonly kind: 'held-is-whole' }
  | { readonly kind: 'refused'; readonly resource: WireResource; readonly hash: WireHash; readonly reason: string }

/** Builds one WatchRequest. Add parts in the order of RequestPart: a receiver may apply them in that order. */
export class WatchRequestWriter {
  readonly #writer = new ByteWriter()

  /** Bytes so far. */
  get length(): number {
    return this.#writer.len
  }

  add(part: RequestPart): void {
    partWriters[part.kind](this.#writer, part as never) // the table pairs each kind with the writer of that kind
  }

  /** The message, with its number before all parts; 0 in a stream that does not count. The writer is empty afterwards. */
  finish(sequence = 0): Uint8Array {
    const parts = this.#writer.finish()
    if (sequence === 0) return parts
    return Buffer.concat([this.#writer.uint32(tagOf(sequenceField, 0)).uint64(sequence).finish(), parts])
  }
}

const sequenceField = 6

type PartOf<K> = Extract<RequestPart, { kind: K }>
type PartWriters = { readonly [K in RequestPart['kind']]: (writer: ByteWriter, part: PartOf<K>) => void }

const partWriters: PartWriters = {
  client: (writer, { id, version }) => {
    writer.uint32(tagOf(1, lengthDelimited)).fork()
    writer.uint32(tagOf(1, lengthDelimited)).string(id).uint32(tagOf(2, lengthDelimited)).string(version).ldelim()
  },
  unsubscribe: (writer, { keys }) => {
    writer.uint32(tagOf(2, lengthDelimited)).fork()
    for (const key of keys) writer.uint32(key)
    writer.ldelim()
  },
  'unsubscribe-replicas': (writer, { id }) => {
    writePath(writer.uint32(tagOf(3, lengthDelimited)).fork(), id).ldelim()
  },
  'subscribe-replicas': (writer, { id, hash }) => {
    writer.uint32(tagOf(4, lengthDelimited)).fork()
    writePath(writer.uint32(tagOf(1, lengthDelimited)).fork(), id).ldelim()
    writeHash(writer, 2, hash)
    writer.ldelim()
  },
  subscribe: (writer, { key, name, hash }) => {
    writer.uint32(tagOf(5, lengthDelimited)).fork().uint32(tagOf(1, 0)).uint32(key)
    writer.uint32(tagOf(2, lengthDelimited)).fork()
    writeName(writer, name)
    writer.ldelim()
    writeHash(writer, 3, hash)
    writer.ldelim()
  },
  ack: (writer, { received, applied, digest, delayMs = 0 }) => {
    writer.uint32(tagOf(7, lengthDelimited)).fork().uint32(tagOf(1, 0)).uint64(received)
    writer.uint32(tagOf(2, 0)).uint64(applied).uint32(tagOf(3, fixed64)).fixed64(digest)
    if (delayMs > 0) writer.uint32(tagOf(4, 0)).uint32(delayMs)
    writer.ldelim()
  },
  held: (writer, { resource, hash, isStale }) => {
    writeResource(writer.uint32(tagOf(8, lengthDelimited)).fork(), resource)
    writeHash(writer, 3, hash)
    if (isStale) writer.uint32(tagOf(4, 0)).bool(true)
    writer.ldelim()
  },
  'held-is-whole': writer => {
    writer.uint32(tagOf(9, 0)).bool(true)
  },
  refused: (writer, { resource, hash, reason }) => {
    writeResource(writer.uint32(tagOf(10, lengthDelimited)).fork(), resource)
    writeHash(writer, 3, hash)
    writer.uint32(tagOf(4, lengthDelimited)).string(reason).ldelim()
  },
}

const fixed64 = 1

function writeResource(writer: ByteWriter, resource: WireResource): void {
  if (typeof resource === 'number') writer.uint32(tagOf(1, 0)).uint32(resource)
  else writePath(writer.uint32(tagOf(2, lengthDelimited)).fork(), resource).ldelim()
}

function writeName(writer: ByteWriter, { namespace, path, dtab }: WireName): void {
  writer.uint32(tagOf(1, lengthDelimited)).string(namespace)
  writePath(writer.uint32(tagOf(2, lengthDelimited)).fork(), path).ldelim()
  if (dtab !== '') writer.uint32(tagOf(3, lengthDelimited)).string(dtab)
}

function writeHash(writer: ByteWriter, field: number, hash: WireHash): void {
  if (hash !== '') writer.uint32(tagOf(field, lengthDelimited)).latin1(hash)
}

/** Reads a WatchRequest a part at a time, so that a large one need not be read in one turn of the event loop. */
export class WatchRequestReader {
  readonly #reader: Reader
  #lastPath = emptyPath
  /** Where the packed keys end that are being read, a few in each part. */
  #keysEnd = 0
  #unknownFields = 0

  constructor(bytes: Uint8Array) {
    this.#reader = protobuf.Reader.create(bytes)
  }

  /** The number of the message; 0 when it has none. Throws a RangeError when the bytes before it are malformed. */
  readSequence(): number {
    const reader = protobuf.Reader.create(this.#reader.buf)
    return decoding(() => {
      while (reader.pos < reader.len) {
        const tag = reader.uint32()
        if (tag === tagOf(sequenceField, 0)) return Number(reader.uint64())
        reader.skipType(tag & 7)
      }
      return 0
    })
  }

  /** Names and replica sets that it subscribes to. Throws a RangeError when the bytes are malformed. */
  countSubscriptions(): number {
    const reader = protobuf.Reader.create(this.#reader.buf)
    return decoding(() => {
      let count = 0
      while (reader.pos < reader.len) {
        const tag = reader.uint32()
        if (tag === tagOf(4, lengthDelimited) || tag === tagOf(5, lengthDelimited)) count++
        reader.skipType(tag & 7)
      }
      return count
    })
  }

  /** The next part; undefined after the last. Throws a RangeError when the bytes are malformed. */
  next(): RequestPart | undefined {
    return decoding(() => this.#read())
  }

  #read(): RequestPart | undefined {
    const reader = this.#reader
    if (reader.pos < this.#keysEnd) return this.#readKeys()
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      if (tag === tagOf(2, lengthDelimited)) {
        this.#keysEnd = readMessage(reader, (_, end) => end)
        return this.#readKeys()
      }
      const field = tag >>> 3
      const read = (tag & 7) === lengthDelimited ? partReaders[field] : undefined
      if (read !== undefined) {
        const part = readMessage(reader, (inner, end) => read(inner, end, this.#lastPath))
        if (part.kind === 'subscribe') this.#lastPath = part.name.path
        return part
      }
      if (tag === tagOf(2, 0)) return { kind: 'unsubscribe', keys: [reader.uint32()] }
      if (tag !== tagOf(9, 0)) this.#skip(tag)
      else if (reader.bool()) return heldIsWhole
    }
    return undefined
  }

  #readKeys(): RequestPart {
    const reader = this.#reader
    const keys: number[] = []
    while (reader.pos < this.#keysEnd && keys.length < keysPerPart) keys.push(reader.uint32())
    if (reader.pos > this.#keysEnd) throw new RangeError('a field is longer than its message')
    return { kind: 'unsubscribe', keys }
  }

  /** What a newer client says and this server does not know is little; to pass over much takes long. */
  #skip(tag: number): void {
    // The number of a message was read before its parts.
    if (tag !== tagOf(sequenceField, 0) && ++this.#unknownFields > maxUnknownFields)
      throw new RangeError('too many fields that are not known here')
    this.#reader.skipType(tag & 7)
  }
}

/** So that a part is never much work. */
const keysPerPart = 4
const maxUnknownFields = 10_000

const heldIsWhole: RequestPart = { kind: 'held-is-whole' }

type PartReader = (reader: Reader, end: number, lastPath: Path) => RequestPart

const partReaders: Readonly<Record<number, PartReader>> = {
  1: readClient,
  3: (reader, end) => ({ kind: 'unsubscribe-replicas', id: readPath(reader, end) }),
  4: readReplicaSubscription,
  5: readNameSubscription,
  7: readAck,
  8: readHeld,
  10: readRefused,
}

function readAck(reader: Reader, end: number): RequestPart {
  let received = 0
  let applied = 0
  let digest = 0
  let delayMs = 0
  eachField(reader, end, field => {
    if (field === 1) received = Number(reader.uint64())
    else if (field === 2) applied = Number(reader.uint64())
    else if (field === 3) digest = readFixed64(reader)
    else if (field === 4) delayMs = reader.uint32()
    else return false
    return true
  })
  return { kind: 'ack', received, applied, digest, ...(delayMs > 0 && { delayMs }) }
}

/** Another number than was written when that is above 2^53. */
function readFixed64(reader: Reader): number {
  const low = reader.fixed32()
  return reader.fixed32() * 0x1_0000_0000 + low
}

function readHeld(reader: Reader, end: number): RequestPart {
  let resource: WireResource = 0
  let hash: WireHash = ''
  let isStale = false
  eachField(reader, end, field => {
    if (field === 1) resource = reader.uint32()
    else if (field === 2) resource = readMessage(reader, readPath)
    else if (field === 3) hash = readHash(reader)
    else if (field === 4) isStale = reader.bool()
    else return false
    return true
  })
  return { kind: 'held', resource, hash, isStale }
}

function readRefused(reader: Reader, end: number): RequestPart {
  let resource: WireResource = 0
  let hash: WireHash = ''
  let reason = ''
  eachField(reader, end, field => {
    if (field === 1) resource = reader.uint32()
    else if (field === 2) resource = readMessage(reader, readPath)
    else if (field === 3) hash = readHash(reader)
    else if (field === 4) reason = reader.string()
    else return false
    return true
  })
  return { kind: 'refused', resource, hash, reason }
}

function readClient(reader: Reader, end: number): RequestPart {
  let id = ''
  let version = ''
  eachField(reader, end, field => {
    if (field === 1) id = reader.string()
    else if (field === 2) version = reader.string()
    else return false
    return true
  })
  return { kind: 'client', id, version }
}

function readReplicaSubscription(reader: Reader, end: number): RequestPart {
  let id = emptyPath
  let hash: WireHash = ''
  eachField(reader, end, field => {
    if (field === 1) id = readMessage(reader, readPath)
    else if (field === 2) hash = readHash(reader)
    else return false
    return true
  })
  return { kind: 'subscribe-replicas', id, hash }
}

function readNameSubscription(reader: Reader, end: number, lastPath: Path): RequestPart {
  let key = 0
  let name: WireName = noName
  let hash: WireHash = ''
  eachField(reader, end, field => {
    if (field === 1) key = reader.uint32()
    else if (field === 2) name = readMessage(reader, (inner, innerEnd) => readName(inner, innerEnd, lastPath))
    else if (field === 3) hash = readHash(reader)
    else return false
    return true
  })
  return { kind: 'subscribe', key, name, hash }
}

const noName: WireName = { namespace: '', path: emptyPath, dtab: '' }

function readName(reader: Reader, end: number, like = emptyPath): WireName {
  let { namespace, path, dtab } = noName
  eachField(reader, end, field => {
    if (field === 1) namespace = reader.string()
    else if (field === 2) path = readMessage(reader, (inner, innerEnd) => readPath(inner, innerEnd, like))
    else if (field === 3) dtab = reader.string()
    else return false
    return true
  })
  return { namespace, path, dtab }
}

function readHash(reader: Reader): WireHash {
  return readLatin1(reader)
}

export interface ResolveRequest {
  readonly name: WireName
  readonly waitMs: number
}

export function encodeResolveRequest({ name, waitMs }: ResolveRequest): Uint8Array {
  const writer = new ByteWriter().uint32(tagOf(1, lengthDelimited)).fork()
  writeName(writer, name)
  return writer.ldelim().uint32(tagOf(2, 0)).uint32(waitMs).finish()
}

/** Throws a RangeError when the bytes are malformed. */
export function decodeResolveRequest(bytes: Uint8Array): ResolveRequest {
  const reader = protobuf.Reader.create(bytes)
  let name = noName
  let waitMs = 0
  decoding(() =>
    eachField(reader, reader.len, field => {
      if (field === 1) name = readMessage(reader, readName)
      else if (field === 2) waitMs = reader.uint32()
      else return false
      return true
    }),
  )
  return { name, waitMs }
}
