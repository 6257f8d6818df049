// Replica sets as io.linkerd.mesh has them: addresses in bytes, all metadata as text. Knows no stream.
import protobuf from 'protobufjs/minimal.js'
import { NamingError } from '../naming/errors.ts'
import type { Endpoint, Metadata, MetadataValue, ReplicaSet } from '../naming/replica-set.ts'
import { failed, ok, pending, type State } from '../watch/state.ts'
import { ByteWriter } from './byte-writer.ts'
import { decoding, eachField, lengthDelimited, readMessage, tagOf } from './fields.ts'
import { bytesFromIp, ipFromBytes } from './ip-bytes.ts'
import { doubleText } from './scala-text.ts'

type Reader = protobuf.Reader

/** The metadata that is an endpoint's weight. */
const weightName = 'endpoint_addr_weight'
const nodeName = 'nodeName'

const varint = 0
const field = { pending: 1, neg: 2, failed: 3, bound: 4 } as const
/** For what is written in one go; cleared first, for a writer that threw leaves something behind. */
const scratch = new ByteWriter()

/** A Replicas message. Endpoints that are not IP addresses are left out. */
export function encodeReplicas(state: State<ReplicaSet>): Buffer {
  const writer = scratch.clear()
  if (state.kind === 'pending') mark(writer, field.pending)
  else if (state.kind === 'failed') {
    writer.uint32(tagOf(field.failed, lengthDelimited)).fork()
    writer.uint32(tagOf(1, lengthDelimited)).string(state.error.message).ldelim()
  } else if (state.value.kind === 'neg') mark(writer, field.neg)
  else writeBound(writer, state.value)
  return writer.finish()
}

function mark(writer: ByteWriter, number: number): void {
  writer.uint32(tagOf(number, lengthDelimited)).fork().ldelim()
}

function writeBound(writer: ByteWriter, { endpoints, metadata }: Extract<ReplicaSet, { kind: 'bound' }>): void {
  writer.uint32(tagOf(field.bound, lengthDelimited)).fork()
  for (const endpoint of endpoints) {
    const address = bytesFromIp(endpoint.address)
    if (address !== undefined) writeEndpoint(writer, endpoint, address)
  }
  writeMetadata(writer, 2, metadata)
  writer.ldelim()
}

function writeEndpoint(writer: ByteWriter, { port, weight, metadata }: Endpoint, address: Uint8Array): void {
  writer.uint32(tagOf(1, lengthDelimited)).fork()
  // linkerd leaves out an endpoint whose family or port is not on the wire, be it zero.
  writer.uint32(tagOf(1, varint)).uint32(address.length === 16 ? 1 : 0)
  writer.uint32(tagOf(2, lengthDelimited)).bytes(address)
  writer.uint32(tagOf(3, varint)).uint32(port)
  writer.uint32(tagOf(4, lengthDelimited)).fork()
  const node = metadata?.[nodeName]
  if (node !== undefined) writer.uint32(tagOf(1, lengthDelimited)).string(String(node))
  writer.ldelim()
  writeMetadata(writer, 5, metadata)
  if (weight !== 1) writeEntry(writer, 5, weightName, doubleText(weight))
  writer.ldelim()
}

/** In the order of their names, so that equal sets have equal bytes. */
function writeMetadata(writer: ByteWriter, number: number, metadata: Metadata | undefined): void {
  if (metadata === undefined) return
  for (const name of Object.keys(metadata).sort()) writeEntry(writer, number, name, String(metadata[name]))
}

/** An entry of a map<string, string>. */
function writeEntry(writer: ByteWriter, number: number, name: string, value: string): void {
  writer.uint32(tagOf(number, lengthDelimited)).fork()
  writer.uint32(tagOf(1, lengthDelimited)).string(name)
  writer.uint32(tagOf(2, lengthDelimited)).string(value).ldelim()
}

/**
 * What a Replicas message says: `failed` is namer-unavailable with the server's words, a message without a result is neg.
 * Weights become those of the endpoints again; other metadata stay text. Throws a RangeError when it is malformed.
 */
export function decodeReplicas(bytes: Uint8Array): State<ReplicaSet> {
  const reader = protobuf.Reader.create(bytes)
  let state: State<ReplicaSet> = ok({ kind: 'neg' })
  decoding(() =>
    eachField(reader, reader.len, number => {
      if (number < field.pending || number > field.bound) return false
      state = readMessage(reader, (inner, end) => readResult(number, inner, end))
      return true
    }),
  )
  return state
}

function readResult(number: number, reader: Reader, end: number): State<ReplicaSet> {
  if (number === field.bound) return ok(readBound(reader, end))
  if (number === field.failed) return failed(new NamingError('namer-unavailable', readMessageText(reader, end)))
  eachField(reader, end, () => false)
  return number === field.neg ? ok({ kind: 'neg' }) : pending
}

function readMessageText(reader: Reader, end: number): string {
  let message = ''
  eachField(reader, end, number => {
    if (number !== 1) return false
    message = reader.string()
    return true
  })
  return message
}

function readBound(reader: Reader, end: number): ReplicaSet {
  const endpoints: Endpoint[] = []
  const metadata: [string, MetadataValue][] = []
  eachField(reader, end, number => {
    if (number === 1) endpoints.push(readMessage(reader, readEndpoint))
    else if (number === 2) metadata.push(readMessage(reader, readEntry))
    else return false
    return true
  })
  return { kind: 'bound', endpoints, ...metadataOf(metadata) }
}

function readEndpoint(reader: Reader, end: number): Endpoint {
  let address = ''
  let port = 0
  let weight = 1
  const metadata: [string, MetadataValue][] = []
  eachField(reader, end, number => {
    if (number === 2) address = ipFromBytes(reader.bytes())
    else if (number === 3) port = reader.uint32()
    else if (number === 4) readMessage(reader, (inner, innerEnd) => readNode(inner, innerEnd, metadata))
    else if (number === 5) {
      const [name, value] = readMessage(reader, readEntry)
      if (name === weightName) weight = weightOf(value)
      else metadata.push([name, value])
    } else return false
    return true
  })
  if (address === '') throw new RangeError('an endpoint has no address')
  if (port > 65_535) throw new RangeError(`${port} is not a port`)
  return { address, port, weight, ...metadataOf(metadata) }
}

/** The node stands in the metadata too, where it then comes later and wins. */
function readNode(reader: Reader, end: number, into: [string, MetadataValue][]): void {
  const node = readMessageText(reader, end)
  if (node !== '') into.push([nodeName, node])
}

/** A balancer needs a number above 0: what is none counts as not said. */
function weightOf(text: string): number {
  const weight = Number(text)
  return weight > 0 && Number.isFinite(weight) ? weight : 1
}

function readEntry(reader: Reader, end: number): [string, string] {
  let name = ''
  let value = ''
  eachField(reader, end, number => {
    if (number === 1) name = reader.string()
    else if (number === 2) value = reader.string()
    else return false
    return true
  })
  return [name, value]
}

function metadataOf(entries: readonly [string, MetadataValue][]): { metadata?: Metadata } {
  return entries.length === 0 ? {} : { metadata: Object.fromEntries(entries) }
}
