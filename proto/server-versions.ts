// Messages of Servers/Follow: who speaks, and the versions that a server goes by. Knows no stream.
import protobuf from 'protobufjs/minimal.js'
import { ByteWriter } from './byte-writer.ts'
import { decoding, eachField, lengthDelimited, readMessage, tagOf } from './fields.ts'

type Reader = protobuf.Reader

/** Who speaks. Both are empty in every message but the first of its side. */
export interface Speaker {
  readonly id: string
  /** Of its software. */
  readonly version: string
}

/** A version that a server goes by; 0 when it knows of none any more. */
export interface WireDtabVersion {
  readonly namespace: string
  readonly version: number
}

export interface FollowResponse extends Speaker {
  readonly isWhole: boolean
  readonly dtabs: readonly WireDtabVersion[]
  /** Streams that proxies have open there; absent where it is not told. */
  readonly streams?: number
}

/** A message without fields. */
export const signOfLife: Uint8Array = new Uint8Array()

export function encodeSpeaker(speaker: Speaker): Buffer {
  const writer = new ByteWriter()
  writeSpeaker(writer, speaker)
  return writer.finish()
}

/** Throws a RangeError when the bytes are malformed. */
export function decodeSpeaker(bytes: Uint8Array): Speaker {
  const { id, version } = decodeFollowResponse(bytes)
  return { id, version }
}

export function encodeFollowResponse({ isWhole, dtabs, streams, ...speaker }: FollowResponse): Buffer {
  const writer = new ByteWriter()
  writeSpeaker(writer, speaker)
  if (isWhole) writer.uint32(tagOf(3, 0)).bool(true)
  for (const { namespace, version } of dtabs) {
    writer.uint32(tagOf(4, lengthDelimited)).fork()
    writer.uint32(tagOf(1, lengthDelimited)).string(namespace).uint32(tagOf(2, 0)).uint64(version).ldelim()
  }
  if (streams !== undefined) writer.uint32(tagOf(5, 0)).uint64(streams)
  return writer.finish()
}

/** Throws a RangeError when the bytes are malformed, or a version is beyond 2^53. */
export function decodeFollowResponse(bytes: Uint8Array): FollowResponse {
  const reader = protobuf.Reader.create(bytes)
  let id = ''
  let version = ''
  let isWhole = false
  let streams: number | undefined
  const dtabs: WireDtabVersion[] = []
  decoding(() =>
    eachField(reader, reader.len, field => {
      if (field === 1) id = reader.string()
      else if (field === 2) version = reader.string()
      else if (field === 3) isWhole = reader.bool()
      else if (field === 4) dtabs.push(readMessage(reader, readDtabVersion))
      else if (field === 5) streams = Number(reader.uint64())
      else return false
      return true
    }),
  )
  return { id, version, isWhole, dtabs, ...(streams !== undefined && { streams }) }
}

function writeSpeaker(writer: ByteWriter, { id, version }: Speaker): void {
  if (id !== '') writer.uint32(tagOf(1, lengthDelimited)).string(id)
  if (version !== '') writer.uint32(tagOf(2, lengthDelimited)).string(version)
}

function readDtabVersion(reader: Reader, end: number): WireDtabVersion {
  let namespace = ''
  let version = 0
  eachField(reader, end, field => {
    if (field === 1) namespace = reader.string()
    else if (field === 2) version = Number(reader.uint64())
    else return false
    return true
  })
  if (!Number.isSafeInteger(version)) throw new RangeError(`version ${version} is not a whole number`)
  return { namespace, version }
}
