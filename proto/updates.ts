// Updates of a Watch stream: what a state looks like on the wire and what a receiver makes of it. Knows no stream.
import { hash } from 'node:crypto'
import protobuf from 'protobufjs/minimal.js'
import type { BoundTree } from '../naming/bound-tree.ts'
import { type ErrorCode, errorCodes, NamingError } from '../naming/errors.ts'
import type { Path } from '../naming/path.ts'
import type { ReplicaSet } from '../naming/replica-set.ts'
import type { Stale, State } from '../watch/state.ts'
import { ByteWriter } from './byte-writer.ts'
import { decoding, eachField, lengthDelimited, readLatin1, readMessage, tagOf } from './fields.ts'
import { readPath, readReplicas, readTree, writePath, writeReplicas, writeTree } from './naming-values.ts'

type Reader = protobuf.Reader

/** A content hash as text of one character per byte; empty when there is none. */
export type WireHash = string

const pendingField = 6
const failureField = 7
const hashBytes = 8
const hashFieldBytes = 2 + hashBytes
/** For what is written in one go; cleared first, for a writer that threw leaves something behind. */
const scratch = new ByteWriter()
const noHash = new Uint8Array(hashBytes)

/** The hash and state fields of an Update, shared by every stream that sends them. */
export type Content = Uint8Array

/** Encodes a state once. A tree too deep for the wire becomes the failure that says so. */
export function encodeTreeContent(state: State<BoundTree>): Content {
  try {
    return encodeContent(state, 4, writeTree)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const tooDeep = new NamingError('name-too-deep', `The binding cannot be sent: ${error.message}.`)
    return encodeContent({ kind: 'failed', error: tooDeep }, 4, writeTree)
  }
}

export function encodeReplicaContent(state: State<ReplicaSet>): Content {
  return encodeContent(state, 5, writeReplicas)
}

function encodeContent<T>(state: State<T>, valueField: number, write: (writer: ByteWriter, value: T) => void): Content {
  const writer = scratch.clear().uint32(tagOf(3, lengthDelimited)).bytes(noHash)
  writer.uint32(tagOf(stateField(state, valueField), lengthDelimited)).fork()
  if (state.kind === 'ok') write(writer, state.value)
  else if (state.kind === 'failed') writeFailure(writer, NamingError.from(state.error))
  else if (state.waitingFor !== undefined) writer.uint32(tagOf(1, lengthDelimited)).string(state.waitingFor)
  return putHash(writer.ldelim().finish())
}

function stateField(state: State<unknown>, valueField: number): number {
  if (state.kind === 'ok') return valueField
  return state.kind === 'pending' ? pendingField : failureField
}

function writeFailure(writer: ByteWriter, error: NamingError): void {
  writer.uint32(tagOf(1, lengthDelimited)).string(error.code)
  writer.uint32(tagOf(2, lengthDelimited)).string(error.message)
  if (error.retryable) writer.uint32(tagOf(3, 0)).bool(true)
}

/** Replaces the hash that stands at the head by that of what follows it: the bytes that contentHash gives as digits. */
function putHash(content: Uint8Array): Content {
  const digest = hash('sha1', content.subarray(hashFieldBytes), 'latin1')
  for (let i = 0; i < hashBytes; i++) content[2 + i] = digest.charCodeAt(i)
  return content
}

/** The part of a content that says only which content it is: an update that changes no state. */
export function hashFieldOf(content: Content): Content {
  return content.subarray(0, hashFieldBytes)
}

/** Whether a content says that there is no answer, be it that a good one could not be encoded. */
export function isFailure(content: Content): boolean {
  return content[hashFieldBytes] === tagOf(failureField, lengthDelimited)
}

export function hashOf(content: Content): WireHash {
  return Buffer.from(content.buffer, content.byteOffset + 2, hashBytes).toString('latin1')
}

/** The stale field of an Update. */
export function encodeStale(stale: Stale): Uint8Array {
  const writer = scratch.clear().uint32(tagOf(8, lengthDelimited)).fork()
  writer.uint32(tagOf(1, 0)).uint64(stale.since)
  writer.uint32(tagOf(2, lengthDelimited)).string(stale.reason.message)
  return writer.ldelim().finish()
}

const noKey = Uint8Array.of(tagOf(1, 0), 0)

/** A ResolveResponse: the tree under key 0, the replica sets by id. */
export function encodeResolveResponse(
  tree: State<BoundTree>,
  replicas: readonly { readonly id: Path; readonly state: State<ReplicaSet> }[],
): Buffer {
  const parts: Uint8Array[] = []
  const add = (tag: number, fields: readonly Uint8Array[]): void => {
    const length = fields.reduce((sum, field) => sum + field.length, 0)
    parts.push(scratch.clear().uint32(tag).uint32(length).finish(), ...fields)
  }
  add(tagOf(1, lengthDelimited), [noKey, encodeTreeContent(tree), staleFieldOf(tree)])
  for (const { id, state } of replicas)
    add(tagOf(2, lengthDelimited), [encodeIdField(id), encodeReplicaContent(state), staleFieldOf(state)])
  return Buffer.concat(parts)
}

function staleFieldOf(state: State<unknown>): Uint8Array {
  return state.kind === 'ok' && state.stale !== undefined ? encodeStale(state.stale) : new Uint8Array()
}

/** The resource field of a replica set's Update. */
export function encodeIdField(id: Path): Uint8Array {
  return writePath(scratch.clear().uint32(tagOf(2, lengthDelimited)).fork(), id)
    .ldelim()
    .finish()
}

/**
 * What an update says of its resource's state. `same`: the content that has the update's hash stands. `unusable`: a content
 * that is not understood here, such as a kind of node that is not known; the reason is for people.
 */
export type ReceivedState<T> =
  | State<T>
  | { readonly kind: 'same'; readonly stale?: Stale }
  | { readonly kind: 'unusable'; readonly reason: string; readonly stale?: Stale }

export type ReceivedUpdate =
  | { readonly kind: 'tree'; readonly key: number; readonly hash: WireHash; readonly state: ReceivedState<BoundTree> }
  | { readonly kind: 'replicas'; readonly id: Path; readonly hash: WireHash; readonly state: ReceivedState<ReplicaSet> }

/** One Update, whose bytes came in pieces. Throws a RangeError as decodeWatchResponse does. */
export function decodeUpdate(bytes: Uint8Array): ReceivedUpdate {
  const reader = protobuf.Reader.create(bytes)
  return decoding(() => readUpdate(reader, reader.len))
}

interface Fields {
  key?: number
  id?: Path
  hash: WireHash
  tree?: BoundTree | undefined
  replicas?: ReplicaSet | undefined
  other?: State<never>
  /** Why the content cannot be used. */
  unusable?: string
  stale?: Stale
}

/** One Update message. */
export function readUpdate(reader: Reader, end: number): ReceivedUpdate {
  const fields: Fields = { hash: '' }
  eachField(reader, end, field => {
    const read = updateReaders[field]
    read?.(fields, reader)
    return read !== undefined
  })
  const { key, id, hash } = fields
  if (key !== undefined) return { kind: 'tree', key, hash, state: stateOf(fields.tree, fields) }
  if (id !== undefined) return { kind: 'replicas', id, hash, state: stateOf(fields.replicas, fields) }
  throw new RangeError('an update names no resource')
}

const updateReaders: Readonly<Record<number, (fields: Fields, reader: Reader) => void>> = {
  1: (fields, reader) => {
    fields.key = reader.uint32()
  },
  2: (fields, reader) => {
    fields.id = readMessage(reader, readPath)
  },
  3: (fields, reader) => {
    fields.hash = readLatin1(reader)
  },
  4: (fields, reader) => {
    fields.tree = readContent(fields, reader, readTree)
  },
  5: (fields, reader) => {
    fields.replicas = readContent(fields, reader, readReplicas)
  },
  6: (fields, reader) => {
    fields.other = readMessage(reader, readPending)
  },
  7: (fields, reader) => {
    fields.other = readMessage(reader, readFailure)
  },
  8: (fields, reader) => {
    fields.stale = readMessage(reader, readStale)
  },
}

/** A content that is not understood harms nothing around it, for its length is known. */
function readContent<T>(
  fields: Fields,
  reader: Reader,
  read: (reader: Reader, end: number) => T | undefined,
): T | undefined {
  return readMessage(reader, (inner, end) => {
    try {
      return read(inner, end)
    } catch (error) {
      fields.unusable = error instanceof Error ? error.message : 'it cannot be read'
      inner.pos = end
      return undefined
    }
  })
}

function stateOf<T>(value: T | undefined, fields: Fields): ReceivedState<T> {
  if (fields.other !== undefined) return fields.other
  const staleness = fields.stale === undefined ? {} : { stale: fields.stale }
  if (fields.unusable !== undefined) return { kind: 'unusable', reason: fields.unusable, ...staleness }
  return value === undefined ? { kind: 'same', ...staleness } : { kind: 'ok', value, ...staleness }
}

function readPending(reader: Reader, end: number): State<never> {
  let waitingFor = ''
  eachField(reader, end, field => {
    if (field !== 1) return false
    waitingFor = reader.string()
    return true
  })
  return waitingFor === '' ? { kind: 'pending' } : { kind: 'pending', waitingFor }
}

function readFailure(reader: Reader, end: number): State<never> {
  let code = ''
  let message = ''
  let retryable = false
  eachField(reader, end, field => {
    if (field === 1) code = reader.string()
    else if (field === 2) message = reader.string()
    else if (field === 3) retryable = reader.bool()
    else return false
    return true
  })
  return { kind: 'failed', error: new NamingError(knownCode(code, retryable), message, { detail: { code } }) }
}

/** A newer server may send a code that is not known here; what counts then is whether waiting may help. */
function knownCode(code: string, retryable: boolean): ErrorCode {
  if (Object.hasOwn(errorCodes, code)) return code as ErrorCode // hasOwn has just shown that it is a key
  return retryable ? 'unavailable' : 'internal'
}

function readStale(reader: Reader, end: number): Stale {
  let since = 0
  let reason = ''
  eachField(reader, end, field => {
    if (field === 1) since = Number(reader.uint64())
    else if (field === 2) reason = reader.string()
    else return false
    return true
  })
  return { since, reason: new NamingError('unavailable', reason) }
}
