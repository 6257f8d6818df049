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

/** One part of a WatchRequest. Absent hash fields are the empty text. */
export type RequestPart =
  | { readonly kind: 'client'; readonly id: string; readonly version: string }
  | { readonly kind: 'unsubscribe'; readonly keys: readonly number[] }
  | { readonly kind: 'unsubscribe-replicas'; readonly id: Path }
  | { readonly kind: 'subscribe-replicas'; readonly id: Path; readonly hash: WireHash }
  | { readonly kind: 'subscribe'; readonly key: number; readonly name: WireName; readonly hash: WireHash }

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

  /** The message; the writer is empty afterwards. */
  finish(): Uint8Array {
    return this.#writer.finish()
  }
}

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

  constructor(bytes: Uint8Array) {
    this.#reader = protobuf.Reader.create(bytes)
  }

  /** The next part; undefined after the last. Throws a RangeError when the bytes are malformed. */
  next(): RequestPart | undefined {
    return decoding(() => this.#read())
  }

  #read(): RequestPart | undefined {
    const reader = this.#reader
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      const read = partReaders[tag >>> 3]
      if (read !== undefined) {
        if ((tag & 7) === 0) return { kind: 'unsubscribe', keys: [reader.uint32()] }
        const part = readMessage(reader, (inner, end) => read(inner, end, this.#lastPath))
        if (part.kind === 'subscribe') this.#lastPath = part.name.path
        return part
      }
      reader.skipType(tag & 7)
    }
    return undefined
  }
}

type PartReader = (reader: Reader, end: number, lastPath: Path) => RequestPart

const partReaders: Readonly<Record<number, PartReader>> = {
  1: readClient,
  2: readKeys,
  3: (reader, end) => ({ kind: 'unsubscribe-replicas', id: readPath(reader, end) }),
  4: readReplicaSubscription,
  5: readNameSubscription,
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

function readKeys(reader: Reader, end: number): RequestPart {
  const keys: number[] = []
  while (reader.pos < end) keys.push(reader.uint32())
  return { kind: 'unsubscribe', keys }
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
