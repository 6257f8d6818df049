// The content of a file of last good state: one line that vouches for the rest, then records. Pure: knows no file system.
import { createHash } from 'node:crypto'
import protobuf from 'protobufjs/minimal.js'
import { z } from 'zod'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { NamingError } from '../../naming/errors.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import { ByteWriter } from '../../proto/byte-writer.ts'
import { decoding, eachField, lengthDelimited, readMessage, tagOf } from '../../proto/fields.ts'
import { readReplicas, readTree, writeReplicas, writeTree } from '../../proto/naming-values.ts'

/** Files of another format are left alone. */
const savedFormat = 1

/** What a record is about. */
export type SavedKind = 'tree' | 'replicas'

/** One tree or replica set, encoded. */
export interface SavedEntry {
  readonly kind: SavedKind
  /** The name with its namespace and local dtab, or the bound id. */
  readonly key: string
  /** When it was last known to be so, in ms since 1970. */
  readonly confirmedAt: number
  readonly content: Uint8Array
}

/** A whole file. */
export interface SavedState {
  /** Of the servers that said it. */
  readonly servers: readonly string[]
  readonly savedAt: number
  readonly entries: readonly SavedEntry[]
}

const preamble = z.object({
  nameplane: z.literal('last-good'),
  format: z.number(),
  servers: z.array(z.string()),
  savedAt: z.number(),
  sha256: z.string(),
})

const kinds = { tree: 1, replicas: 2 } as const satisfies Record<SavedKind, number>
const scratch = new ByteWriter()

/** undefined when the tree is too deep to be kept. */
export function encodeTree(tree: BoundTree): Uint8Array | undefined {
  try {
    writeTree(scratch.clear(), tree)
    return scratch.finish()
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

export function encodeReplicas(replicas: ReplicaSet): Uint8Array {
  writeReplicas(scratch.clear(), replicas)
  return scratch.finish()
}

/** Throws a RangeError when the bytes are no tree. */
export function decodeTree(content: Uint8Array): BoundTree {
  return decoding(() => readTree(protobuf.Reader.create(content), content.length))
}

/** Throws a RangeError when the bytes are no replica set. */
export function decodeReplicas(content: Uint8Array): ReplicaSet {
  return decoding(() => readReplicas(protobuf.Reader.create(content), content.length))
}

/** One record of a file. */
export function encodeEntry({ kind, key, confirmedAt, content }: SavedEntry): Uint8Array {
  const writer = scratch.clear().uint32(tagOf(1, lengthDelimited)).fork()
  writer.uint32(tagOf(1, 0)).uint32(kinds[kind]).uint32(tagOf(2, lengthDelimited)).string(key)
  writer.uint32(tagOf(3, 0)).uint64(confirmedAt).uint32(tagOf(4, lengthDelimited)).bytes(content)
  return writer.ldelim().finish()
}

/** The records of one file; what vouches for them is worked out as they come, for all at once would take too long. */
export class SavedRecords {
  readonly #records: Uint8Array[] = []
  readonly #digest = createHash('sha256')
  bytes = 0

  get size(): number {
    return this.#records.length
  }

  add(record: Uint8Array): void {
    this.#records.push(record)
    this.#digest.update(record)
    this.bytes += record.length
  }

  /** The parts of the file, to be written one after the other; to be called once. */
  file({ servers, savedAt }: Omit<SavedState, 'entries'>): Uint8Array[] {
    const sha256 = this.#digest.digest('hex')
    const first = { nameplane: 'last-good', format: savedFormat, servers, savedAt, sha256 }
    return [Buffer.from(`${JSON.stringify(first)}\n`), ...this.#records]
  }
}

/** store-corrupt, with the reason, when it is no whole file of this format. */
export function decodeFile(bytes: Buffer): Result<SavedState> {
  const end = bytes.indexOf(10)
  const first = preamble.safeParse(jsonFrom(bytes.toString('utf8', 0, Math.max(0, end))))
  if (!first.success) return broken('it is no file of last good state')
  const { format, servers, savedAt, sha256 } = first.data
  if (format !== savedFormat) return broken(`it has format ${format}, and this proxy reads ${savedFormat}`)
  const body = bytes.subarray(end + 1)
  if (createHash('sha256').update(body).digest('hex') !== sha256) return broken('it is torn, or was changed')
  try {
    return success({ servers, savedAt, entries: decoding(() => readEntries(body)) })
  } catch (error) {
    if (error instanceof RangeError) return broken(error.message)
    throw error
  }
}

function readEntries(body: Buffer): readonly SavedEntry[] {
  const reader = protobuf.Reader.create(body)
  const entries: SavedEntry[] = []
  eachField(reader, body.length, field => {
    if (field !== 1) return false
    const entry = readMessage(reader, readEntry)
    if (entry !== undefined) entries.push(entry)
    return true
  })
  return entries
}

/** undefined for a kind that is not known here. */
function readEntry(reader: protobuf.Reader, end: number): SavedEntry | undefined {
  let kind = 0
  let key = ''
  let confirmedAt = 0
  let content: Uint8Array = new Uint8Array()
  eachField(reader, end, field => {
    if (field === 1) kind = reader.uint32()
    else if (field === 2) key = reader.string()
    else if (field === 3) confirmedAt = Number(reader.uint64())
    else if (field === 4) content = reader.bytes()
    else return false
    return true
  })
  if (kind === kinds.tree) return { kind: 'tree', key, confirmedAt, content }
  return kind === kinds.replicas ? { kind: 'replicas', key, confirmedAt, content } : undefined
}

function broken(why: string): Result<never> {
  return failure(new NamingError('store-corrupt', why))
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // what is no JSON fits no schema
  }
}
