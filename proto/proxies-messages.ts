// Messages of nameplane.v1.Proxies: pages of proxies, and how many have applied a version. Knows no stream.
import protobuf from 'protobufjs/minimal.js'
import { ByteWriter } from './byte-writer.ts'
import { decoding, eachField, lengthDelimited, readMessage, tagOf } from './fields.ts'

type Reader = protobuf.Reader

/** A proxy as it stands on the wire; times are ages in ms. */
export interface WireProxy {
  readonly id: string
  readonly ref: string
  readonly protocol: string
  readonly confirms: boolean
  /** Empty where it does not say. */
  readonly version: string
  readonly address: string
  readonly connectedMs: number
  readonly streams: number
  readonly namespaces: readonly WireProxyNamespace[]
  readonly namespaceCount: number
  readonly refusals: number
  readonly lastRefusal?: { readonly name: string; readonly reason: string; readonly ageMs: number } | undefined
}

export interface WireProxyNamespace {
  readonly namespace: string
  readonly names: number
  readonly version: number
  readonly newest: number
  readonly behindMs?: number | undefined
}

export interface WireProxiesQuery {
  /** Empty for all. */
  readonly namespace: string
  readonly isBehind: boolean
  /** Empty for the first page. */
  readonly after: string
  readonly limit: number
}

export interface WireProxiesPart {
  readonly proxies: readonly WireProxy[]
  readonly total: number
  readonly behind: number
  /** Empty on the last page. */
  readonly next: string
}

/** A version, or how many have one. */
export interface WireApplied {
  readonly total: number
  readonly applied: number
}

export function encodeProxiesQuery({ namespace, isBehind, after, limit }: WireProxiesQuery): Buffer {
  const writer = new ByteWriter()
  text(writer, 1, namespace)
  if (isBehind) writer.uint32(tagOf(2, 0)).bool(true)
  text(writer, 3, after)
  number(writer, 4, limit)
  return writer.finish()
}

/** Throws a RangeError when the bytes are malformed, as all decoders here. */
export function decodeProxiesQuery(bytes: Uint8Array): WireProxiesQuery {
  const query = { namespace: '', isBehind: false, after: '', limit: 0 }
  decodeFields(bytes, (reader, field) => {
    if (field === 1) query.namespace = reader.string()
    else if (field === 2) query.isBehind = reader.bool()
    else if (field === 3) query.after = reader.string()
    else if (field === 4) query.limit = reader.uint32()
    else return false
    return true
  })
  return query
}

/** Writes a page proxy by proxy, so that whoever writes can stop before it is too large. */
export class ProxiesPartWriter {
  readonly #writer = new ByteWriter()

  /** Bytes so far. */
  get length(): number {
    return this.#writer.len
  }

  add(proxy: WireProxy): void {
    const writer = this.#writer
    writer.uint32(tagOf(1, lengthDelimited)).fork()
    text(writer, 1, proxy.id)
    text(writer, 2, proxy.ref)
    text(writer, 3, proxy.protocol)
    if (proxy.confirms) writer.uint32(tagOf(4, 0)).bool(true)
    text(writer, 5, proxy.version)
    text(writer, 6, proxy.address)
    number(writer, 7, proxy.connectedMs)
    number(writer, 8, proxy.streams)
    for (const namespace of proxy.namespaces) writeNamespace(writer, namespace)
    number(writer, 10, proxy.namespaceCount)
    number(writer, 11, proxy.refusals)
    if (proxy.lastRefusal !== undefined) {
      writer.uint32(tagOf(12, lengthDelimited)).fork()
      text(writer, 1, proxy.lastRefusal.name)
      text(writer, 2, proxy.lastRefusal.reason)
      number(writer, 3, proxy.lastRefusal.ageMs)
      writer.ldelim()
    }
    writer.ldelim()
  }

  finish({ total, behind, next }: Omit<WireProxiesPart, 'proxies'>): Buffer {
    number(this.#writer, 2, total)
    number(this.#writer, 3, behind)
    text(this.#writer, 4, next)
    return this.#writer.finish()
  }
}

export function decodeProxiesPart(bytes: Uint8Array): WireProxiesPart {
  const proxies: WireProxy[] = []
  const part = { total: 0, behind: 0, next: '' }
  decodeFields(bytes, (reader, field) => {
    if (field === 1) proxies.push(readMessage(reader, readProxy))
    else if (field === 2) part.total = wholeNumber(reader)
    else if (field === 3) part.behind = wholeNumber(reader)
    else if (field === 4) part.next = reader.string()
    else return false
    return true
  })
  return { proxies, ...part }
}

export function encodeAppliedQuery(namespace: string, version: number): Buffer {
  const writer = new ByteWriter()
  text(writer, 1, namespace)
  number(writer, 2, version)
  return writer.finish()
}

export function decodeAppliedQuery(bytes: Uint8Array): { readonly namespace: string; readonly version: number } {
  const query = { namespace: '', version: 0 }
  decodeFields(bytes, (reader, field) => {
    if (field === 1) query.namespace = reader.string()
    else if (field === 2) query.version = wholeNumber(reader)
    else return false
    return true
  })
  return query
}

export function encodeApplied({ total, applied }: WireApplied): Buffer {
  const writer = new ByteWriter()
  number(writer, 1, total)
  number(writer, 2, applied)
  return writer.finish()
}

export function decodeApplied(bytes: Uint8Array): WireApplied {
  const counts = { total: 0, applied: 0 }
  decodeFields(bytes, (reader, field) => {
    if (field === 1) counts.total = wholeNumber(reader)
    else if (field === 2) counts.applied = wholeNumber(reader)
    else return false
    return true
  })
  return counts
}

function writeNamespace(writer: ByteWriter, { namespace, names, version, newest, behindMs }: WireProxyNamespace): void {
  writer.uint32(tagOf(9, lengthDelimited)).fork()
  text(writer, 1, namespace)
  number(writer, 2, names)
  number(writer, 3, version)
  number(writer, 4, newest)
  if (behindMs !== undefined) writer.uint32(tagOf(5, 0)).uint64(behindMs)
  writer.ldelim()
}

function readProxy(reader: Reader, end: number): WireProxy {
  const proxy = {
    id: '',
    ref: '',
    protocol: '',
    confirms: false,
    version: '',
    address: '',
    connectedMs: 0,
    streams: 0,
    namespaces: [] as WireProxyNamespace[], // an empty literal has no type of its own
    namespaceCount: 0,
    refusals: 0,
    lastRefusal: undefined as WireProxy['lastRefusal'], // the same
  }
  eachField(reader, end, field => {
    if (field === 1) proxy.id = reader.string()
    else if (field === 2) proxy.ref = reader.string()
    else if (field === 3) proxy.protocol = reader.string()
    else if (field === 4) proxy.confirms = reader.bool()
    else if (field === 5) proxy.version = reader.string()
    else if (field === 6) proxy.address = reader.string()
    else if (field === 7) proxy.connectedMs = wholeNumber(reader)
    else if (field === 8) proxy.streams = reader.uint32()
    else if (field === 9) proxy.namespaces.push(readMessage(reader, readNamespace))
    else if (field === 10) proxy.namespaceCount = reader.uint32()
    else if (field === 11) proxy.refusals = wholeNumber(reader)
    else if (field === 12) proxy.lastRefusal = readMessage(reader, readRefusal)
    else return false
    return true
  })
  return proxy
}

function readNamespace(reader: Reader, end: number): WireProxyNamespace {
  const told = { namespace: '', names: 0, version: 0, newest: 0, behindMs: undefined as number | undefined } // the same
  eachField(reader, end, field => {
    if (field === 1) told.namespace = reader.string()
    else if (field === 2) told.names = reader.uint32()
    else if (field === 3) told.version = wholeNumber(reader)
    else if (field === 4) told.newest = wholeNumber(reader)
    else if (field === 5) told.behindMs = wholeNumber(reader)
    else return false
    return true
  })
  return told
}

function readRefusal(reader: Reader, end: number): NonNullable<WireProxy['lastRefusal']> {
  const refusal = { name: '', reason: '', ageMs: 0 }
  eachField(reader, end, field => {
    if (field === 1) refusal.name = reader.string()
    else if (field === 2) refusal.reason = reader.string()
    else if (field === 3) refusal.ageMs = wholeNumber(reader)
    else return false
    return true
  })
  return refusal
}

function decodeFields(bytes: Uint8Array, take: (reader: Reader, field: number) => boolean): void {
  const reader = protobuf.Reader.create(bytes)
  decoding(() => eachField(reader, reader.len, field => take(reader, field)))
}

function text(writer: ByteWriter, field: number, value: string): void {
  if (value !== '') writer.uint32(tagOf(field, lengthDelimited)).string(value)
}

function number(writer: ByteWriter, field: number, value: number): void {
  if (value !== 0) writer.uint32(tagOf(field, 0)).uint64(value)
}

function wholeNumber(reader: Reader): number {
  const value = Number(reader.uint64())
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number`)
  return value
}
