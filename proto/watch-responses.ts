// Responses of a Watch stream as a client reads them, and Updates that come in pieces. Knows no stream.
import protobuf from 'protobufjs/minimal.js'
import type { Path } from '../naming/path.ts'
import { decoding, eachField, lengthDelimited, readMessage } from './fields.ts'
import { readPath } from './naming-values.ts'
import { type ReceivedUpdate, readUpdate } from './updates.ts'

type Reader = protobuf.Reader

/** A part of an Update that is too large for one message. */
export interface Piece {
  readonly bytes: Uint8Array
  /** It is the first of its Update: what came of another one counts no more. */
  readonly begins: boolean
  readonly ends: boolean
}

/** The client is to open another stream and to leave this one, which ends by then. */
export interface Move {
  readonly withinMs: number
  readonly reason: string
}

/** What each field means stands in naming.proto. */
export interface ReceivedResponse {
  /** 0 from a server that does not count. */
  readonly sequence: number
  readonly updates: readonly ReceivedUpdate[]
  readonly piece?: Piece
  readonly wantsHeld: boolean
  readonly unknownKeys: readonly number[]
  readonly unknownIds: readonly Path[]
  readonly move?: Move
  /** For the acknowledgement; 0 for at once. */
  readonly ackWithinMs: number
}

interface Fields {
  sequence: number
  readonly updates: ReceivedUpdate[]
  piece?: Piece
  wantsHeld: boolean
  readonly unknownKeys: number[]
  readonly unknownIds: Path[]
  move?: Move
  ackWithinMs: number
}

/** Throws a RangeError when the bytes are malformed or of a shape that is not known here. */
export function decodeWatchResponse(bytes: Uint8Array): ReceivedResponse {
  const reader = protobuf.Reader.create(bytes)
  const fields: Fields = { sequence: 0, updates: [], wantsHeld: false, unknownKeys: [], unknownIds: [], ackWithinMs: 0 }
  decoding(() =>
    eachField(reader, reader.len, (field, wireType) => {
      if (field === 5) readKeys(reader, wireType, fields.unknownKeys)
      else {
        const read = fieldReaders[field]
        read?.(fields, reader)
        return read !== undefined
      }
      return true
    }),
  )
  return fields
}

const fieldReaders: Readonly<Record<number, (fields: Fields, reader: Reader) => void>> = {
  1: (fields, reader) => {
    fields.updates.push(readMessage(reader, readUpdate))
  },
  2: (fields, reader) => {
    fields.sequence = Number(reader.uint64())
  },
  3: (fields, reader) => {
    fields.piece = readMessage(reader, readPiece)
  },
  4: (fields, reader) => {
    fields.wantsHeld = reader.bool()
  },
  6: (fields, reader) => {
    fields.unknownIds.push(readMessage(reader, readPath))
  },
  7: (fields, reader) => {
    fields.move = readMessage(reader, readMove)
  },
  8: (fields, reader) => {
    fields.ackWithinMs = reader.uint32()
  },
}

/** Packed, or one. */
function readKeys(reader: Reader, wireType: number, keys: number[]): void {
  if (wireType !== lengthDelimited) {
    keys.push(reader.uint32())
    return
  }
  readMessage(reader, (inner, end) => {
    while (inner.pos < end) keys.push(inner.uint32())
  })
}

function readPiece(reader: Reader, end: number): Piece {
  let bytes: Uint8Array = noBytes
  let begins = false
  let ends = false
  eachField(reader, end, field => {
    if (field === 1) bytes = reader.bytes()
    else if (field === 2) begins = reader.bool()
    else if (field === 3) ends = reader.bool()
    else return false
    return true
  })
  return { bytes, begins, ends }
}

const noBytes = new Uint8Array()

function readMove(reader: Reader, end: number): Move {
  let withinMs = 0
  let reason = ''
  eachField(reader, end, field => {
    if (field === 1) withinMs = Number(reader.uint64())
    else if (field === 2) reason = reader.string()
    else return false
    return true
  })
  return { withinMs, reason }
}

/** Puts an Update together from its pieces; one of which a piece is missing comes to nothing. */
export class PieceCollector {
  #pieces: Uint8Array[] = []
  /** Of the message with the next piece; 0 while no Update has begun. */
  #expected = 0

  /** The piece of the message with this number. Gives the bytes of the Update when it is whole, for decodeUpdate. */
  add({ bytes, begins, ends }: Piece, sequence: number): Uint8Array | undefined {
    if (begins) this.#pieces = []
    else if (sequence !== this.#expected) {
      this.clear()
      return undefined
    }
    this.#pieces.push(bytes)
    this.#expected = sequence + 1
    if (!ends) return undefined
    const whole = Buffer.concat(this.#pieces)
    this.clear()
    return whole
  }

  /** Forgets what has come so far: another stream begins. */
  clear(): void {
    this.#pieces = []
    this.#expected = 0
  }
}
