// The requests and responses of io.linkerd.mesh, both ways, but for replica sets. Knows no stream.
import protobuf from 'protobufjs/minimal.js'
import type { BoundTree } from '../naming/bound-tree.ts'
import { type Dtab, emptyDtab } from '../naming/dtab.ts'
import { type NameTree, neg } from '../naming/name-tree.ts'
import type { Path } from '../naming/path.ts'
import { ByteWriter } from './byte-writer.ts'
import { decoding, eachField, lengthDelimited, readMessage, tagOf } from './fields.ts'
import { readDelegateTree, type WireDelegateTree, writeDelegateTree } from './mesh-delegate.ts'
import { readDtab, writeDtab, writeDtabInSteps } from './mesh-dtab.ts'
import {
  readBoundTree,
  readMeshPath,
  readPathTree,
  writeBoundTree,
  writePathField,
  writePathTree,
} from './mesh-trees.ts'

type Reader = protobuf.Reader

/** A binding asked for; what was not set is absent. */
export interface BindReq {
  readonly root?: Path
  readonly name?: Path
  readonly dtab: Dtab
}

/** An explanation asked for; what was not set is absent. */
export interface DelegateTreeReq {
  readonly root?: Path
  readonly tree?: NameTree<Path>
  readonly dtab: Dtab
}

/** A dtab with what says which version it is, one character per byte. */
export interface VersionedDtab {
  readonly version: string
  readonly dtab: Dtab
}

/** For what is written in one go; cleared first, for a writer that threw leaves something behind. */
const scratch = new ByteWriter()

/** A message of one message in field 1. */
function inFieldOne(write: (writer: ByteWriter) => void): Buffer {
  return inField(scratch.clear(), 1, write).finish()
}

function inField(writer: ByteWriter, field: number, write: (writer: ByteWriter) => void): ByteWriter {
  write(writer.uint32(tagOf(field, lengthDelimited)).fork())
  return writer.ldelim()
}

/** Reads the fields that `readers` has, each a message, and skips the others. */
function readFields(bytes: Uint8Array, readers: Readonly<Record<number, (reader: Reader, end: number) => void>>): void {
  const reader = protobuf.Reader.create(bytes)
  decoding(() =>
    eachField(reader, reader.len, (field, wireType) => {
      const read = readers[field]
      if (read === undefined || wireType !== lengthDelimited) return false
      readMessage(reader, read)
      return true
    }),
  )
}

/** The path in field 1, which the requests for replica sets, dtabs and a path's text have alone. */
export function decodePathReq(bytes: Uint8Array): Path | undefined {
  let path: Path | undefined
  readFields(bytes, {
    1: (reader, end) => {
      path = readMeshPath(reader, end)
    },
  })
  return path
}

/** A request, or an answer, of one path: ReplicasReq, DtabReq, ReadPathRsp. Absent: not set. */
export function encodePath(path: Path | undefined): Buffer {
  scratch.clear()
  if (path !== undefined) writePathField(scratch, 1, path)
  return scratch.finish()
}

/** A request, or an answer, of one text: ReadDtabReq, ShowPathRsp and their like. */
export function encodeText(text: string): Buffer {
  scratch.clear()
  if (text !== '') scratch.uint32(tagOf(1, lengthDelimited)).string(text)
  return scratch.finish()
}

/** The text; empty when it is not set. Throws a RangeError when the bytes are malformed. */
export function decodeText(bytes: Uint8Array): string {
  const reader = protobuf.Reader.create(bytes)
  let text = ''
  decoding(() =>
    eachField(reader, reader.len, (field, wireType) => {
      if (field !== 1 || wireType !== lengthDelimited) return false
      text = reader.string()
      return true
    }),
  )
  return text
}

/** ReadDtabRsp, ShowDtabReq. */
export function encodeDtab(dtab: Dtab): Buffer {
  return inFieldOne(writer => writeDtab(writer, dtab))
}

/** The dtab; undefined when it is not set. Throws a RangeError when it is malformed. */
export function decodeDtab(bytes: Uint8Array): Dtab | undefined {
  let dtab: Dtab | undefined
  readFields(bytes, {
    1: (reader, end) => {
      dtab = readDtab(reader, end)
    },
  })
  return dtab
}

export function encodeBindReq({ root, name, dtab }: BindReq): Buffer {
  scratch.clear()
  if (root !== undefined) writePathField(scratch, 1, root)
  if (name !== undefined) writePathField(scratch, 2, name)
  if (dtab.length > 0) inField(scratch, 3, writer => writeDtab(writer, dtab))
  return scratch.finish()
}

/** Throws a RangeError when the bytes are malformed. */
export function decodeBindReq(bytes: Uint8Array): BindReq {
  let root: Path | undefined
  let name: Path | undefined
  let dtab = emptyDtab
  readFields(bytes, {
    1: (reader, end) => {
      root = readMeshPath(reader, end)
    },
    2: (reader, end) => {
      name = readMeshPath(reader, end)
    },
    3: (reader, end) => {
      dtab = readDtab(reader, end)
    },
  })
  return { ...(root !== undefined && { root }), ...(name !== undefined && { name }), dtab }
}

/** Throws a RangeError when the tree is too deep for the wire. */
export function encodeBoundTreeRsp(tree: BoundTree): Buffer {
  return inFieldOne(writer => writeBoundTree(writer, tree))
}

/** The tree; one that is not set is neg. Throws a RangeError when the bytes are malformed. */
export function decodeBoundTreeRsp(bytes: Uint8Array): BoundTree {
  let tree: BoundTree = neg
  readFields(bytes, {
    1: (reader, end) => {
      tree = readBoundTree(reader, end)
    },
  })
  return tree
}

/** What one step of a message that is written in steps adds to it, about. */
const stepBytes = 32_768

/**
 * A DtabRsp in steps of about half a millisecond, for a dtab may be too large for one turn of the event loop; the message is what
 * it returns. Throws a RangeError when a tree in it is too deep for the wire.
 */
export function* encodeDtabRsp({ version, dtab }: VersionedDtab): Generator<undefined, Buffer> {
  const writer = new ByteWriter()
  let stepEnd = stepBytes
  const isStepOver = (): boolean => {
    if (writer.len < stepEnd) return false
    stepEnd = writer.len + stepBytes
    return true
  }
  writer.uint32(tagOf(1, lengthDelimited)).fork()
  inField(writer, 1, inner => inner.uint32(tagOf(1, lengthDelimited)).latin1(version))
  writer.uint32(tagOf(2, lengthDelimited)).fork()
  yield* writeDtabInSteps(writer, dtab, isStepOver)
  return writer.ldelim().ldelim().finish()
}

/** Throws a RangeError when the bytes are malformed. */
export function decodeDtabRsp(bytes: Uint8Array): VersionedDtab {
  let versioned: VersionedDtab = { version: '', dtab: emptyDtab }
  readFields(bytes, {
    1: (reader, end) => {
      versioned = readVersionedDtab(reader, end)
    },
  })
  return versioned
}

function readVersionedDtab(reader: Reader, end: number): VersionedDtab {
  let version = ''
  let dtab = emptyDtab
  eachField(reader, end, field => {
    if (field === 1) version = readMessage(reader, readVersion)
    else if (field === 2) dtab = readMessage(reader, readDtab)
    else return false
    return true
  })
  return { version, dtab }
}

function readVersion(reader: Reader, end: number): string {
  let id = ''
  eachField(reader, end, field => {
    if (field !== 1) return false
    id = Buffer.from(reader.bytes()).toString('latin1')
    return true
  })
  return id
}

export function encodeDelegateTreeReq({ root, tree, dtab }: DelegateTreeReq): Buffer {
  scratch.clear()
  if (root !== undefined) writePathField(scratch, 1, root)
  if (tree !== undefined) inField(scratch, 2, writer => writePathTree(writer, tree))
  if (dtab.length > 0) inField(scratch, 3, writer => writeDtab(writer, dtab))
  return scratch.finish()
}

/** Throws a RangeError when the bytes are malformed. */
export function decodeDelegateTreeReq(bytes: Uint8Array): DelegateTreeReq {
  let root: Path | undefined
  let tree: NameTree<Path> | undefined
  let dtab = emptyDtab
  readFields(bytes, {
    1: (reader, end) => {
      root = readMeshPath(reader, end)
    },
    2: (reader, end) => {
      tree = readPathTree(reader, end)
    },
    3: (reader, end) => {
      dtab = readDtab(reader, end)
    },
  })
  return { ...(root !== undefined && { root }), ...(tree !== undefined && { tree }), dtab }
}

/** Throws a RangeError when the explanation is too deep for the wire. */
export function encodeDelegateTreeRsp(tree: WireDelegateTree): Buffer {
  return inFieldOne(writer => writeDelegateTree(writer, tree))
}

/** Throws a RangeError when the bytes are malformed or hold no explanation. */
export function decodeDelegateTreeRsp(bytes: Uint8Array): WireDelegateTree {
  let tree: WireDelegateTree | undefined
  readFields(bytes, {
    1: (reader, end) => {
      tree = readDelegateTree(reader, end)
    },
  })
  if (tree === undefined) throw new RangeError('there is no explanation in the answer')
  return tree
}
