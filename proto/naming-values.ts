// Paths, binding trees and replica sets as protobuf fields of naming.proto, for both ends of the wire. Knows no stream.
import type protobuf from 'protobufjs/minimal.js'
import type { BoundTree } from '../naming/bound-tree.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union, type Weighted } from '../naming/name-tree.ts'
import { emptyPath, type Path } from '../naming/path.ts'
import type { Endpoint, Metadata, MetadataValue, ReplicaSet } from '../naming/replica-set.ts'
import type { ByteWriter } from './byte-writer.ts'
import { eachField, lengthDelimited, readLatin1, readMessage, tagOf } from './fields.ts'

type Reader = protobuf.Reader

/** Levels of alternatives and unions that a tree on the wire may have; common protobuf readers stop near this depth. */
export const maxTreeDepth = 30

/** The encoded Path message. As text of one character per byte it also serves as a key. */
export function writePath(writer: ByteWriter, path: Path): ByteWriter {
  for (const label of path) writer.uint32(tagOf(1, lengthDelimited)).latin1(label)
  return writer
}

/** A path. Labels that `like` has in the same places are shared with it: a server holds very many that begin alike. */
export function readPath(reader: Reader, end: number, like = emptyPath): Path {
  const labels: string[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    const label = readLatin1(reader)
    const known = like[labels.length]
    labels.push(known === label ? known : label)
    return true
  })
  return labels.slice() // without the room for more that push has left
}

/** Fields of a BoundTree message. Throws a RangeError when the tree is deeper than maxTreeDepth. */
export function writeTree(writer: ByteWriter, tree: BoundTree, depth = 0): void {
  if (depth > maxTreeDepth) throw new RangeError(`the tree has more than ${maxTreeDepth} levels`)
  writer.uint32(tagOf(nodeField[tree.kind], lengthDelimited)).fork()
  if (tree.kind === 'leaf') {
    writePath(writer.uint32(tagOf(1, lengthDelimited)).fork(), tree.value.id).ldelim()
    writePath(writer.uint32(tagOf(2, lengthDelimited)).fork(), tree.value.residual).ldelim()
  } else if (tree.kind === 'alt') {
    for (const child of tree.trees) writeChild(writer, 1, child, depth)
  } else if (tree.kind === 'union') {
    for (const branch of tree.branches) {
      writer.uint32(tagOf(1, lengthDelimited)).fork().uint32(tagOf(1, fixed64)).double(branch.weight)
      writeChild(writer, 2, branch.tree, depth)
      writer.ldelim()
    }
  }
  writer.ldelim()
}

const fixed64 = 1
const varint = 0
const nodeField = { neg: 1, fail: 2, empty: 3, leaf: 4, alt: 5, union: 6 } as const

function writeChild(writer: ByteWriter, field: number, child: BoundTree, depth: number): void {
  writer.uint32(tagOf(field, lengthDelimited)).fork()
  writeTree(writer, child, depth + 1)
  writer.ldelim()
}

/** A BoundTree message; an unset or unknown node is a RangeError, as is too great a depth. */
export function readTree(reader: Reader, end: number, depth = 0): BoundTree {
  if (depth > maxTreeDepth) throw new RangeError(`the tree has more than ${maxTreeDepth} levels`)
  let tree: BoundTree | undefined
  eachField(reader, end, field => {
    const read = nodeReaders[field]
    if (read === undefined) return false
    tree = readMessage(reader, (inner, innerEnd) => read(inner, innerEnd, depth))
    return true
  })
  if (tree === undefined) throw new RangeError('the tree has no node that is known here')
  return tree
}

type NodeReader = (reader: Reader, end: number, depth: number) => BoundTree

const nodeReaders: Readonly<Record<number, NodeReader>> = {
  1: (reader, end) => readMark(reader, end, neg),
  2: (reader, end) => readMark(reader, end, fail),
  3: (reader, end) => readMark(reader, end, empty),
  4: readLeaf,
  5: readAlt,
  6: readUnion,
}

function readMark(reader: Reader, end: number, mark: NameTree<never>): BoundTree {
  eachField(reader, end, () => false)
  return mark
}

function readLeaf(reader: Reader, end: number): BoundTree {
  let id = emptyPath
  let residual = emptyPath
  eachField(reader, end, field => {
    if (field === 1) id = readMessage(reader, readPath)
    else if (field === 2) residual = readMessage(reader, readPath)
    else return false
    return true
  })
  return leaf({ id, residual })
}

function readAlt(reader: Reader, end: number, depth: number): BoundTree {
  const trees: BoundTree[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    trees.push(readMessage(reader, (inner, innerEnd) => readTree(inner, innerEnd, depth + 1)))
    return true
  })
  return alt(trees)
}

function readUnion(reader: Reader, end: number, depth: number): BoundTree {
  const branches: Weighted<BoundTreeLeaf>[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    branches.push(readMessage(reader, (inner, innerEnd) => readWeighted(inner, innerEnd, depth)))
    return true
  })
  return union(branches)
}

type BoundTreeLeaf = Extract<BoundTree, { kind: 'leaf' }>['value']

function readWeighted(reader: Reader, end: number, depth: number): Weighted<BoundTreeLeaf> {
  let weight = 0
  let tree: BoundTree | undefined
  eachField(reader, end, field => {
    if (field === 1) weight = reader.double()
    else if (field === 2) tree = readMessage(reader, (inner, innerEnd) => readTree(inner, innerEnd, depth + 1))
    else return false
    return true
  })
  if (tree === undefined) throw new RangeError('a branch of a union has no tree')
  return { weight, tree }
}

/** Fields of a ReplicaSet message; metadata in the order of its names, so that equal sets have equal bytes. */
export function writeReplicas(writer: ByteWriter, replicas: ReplicaSet): void {
  if (replicas.kind === 'neg') return
  writer.uint32(tagOf(1, varint)).bool(true)
  for (const endpoint of replicas.endpoints) {
    writer.uint32(tagOf(2, lengthDelimited)).fork()
    writeEndpoint(writer, endpoint)
    writer.ldelim()
  }
  writeMetadata(writer, 3, replicas.metadata)
}

function writeEndpoint(writer: ByteWriter, endpoint: Endpoint): void {
  writer.uint32(tagOf(1, lengthDelimited)).string(endpoint.address)
  writer.uint32(tagOf(2, varint)).uint32(endpoint.port)
  if (endpoint.weight !== 1) writer.uint32(tagOf(3, fixed64)).double(endpoint.weight)
  writeMetadata(writer, 4, endpoint.metadata)
}

function writeMetadata(writer: ByteWriter, field: number, metadata: Metadata | undefined): void {
  if (metadata === undefined) return
  for (const [name, value] of Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))) {
    writer.uint32(tagOf(field, lengthDelimited)).fork().uint32(tagOf(1, lengthDelimited)).string(name)
    if (typeof value === 'string') writer.uint32(tagOf(2, lengthDelimited)).string(value)
    else if (typeof value === 'number') writer.uint32(tagOf(3, fixed64)).double(value)
    else writer.uint32(tagOf(4, varint)).bool(value)
    writer.ldelim()
  }
}

export function readReplicas(reader: Reader, end: number): ReplicaSet {
  let exists = false
  const endpoints: Endpoint[] = []
  const metadata: [string, MetadataValue][] = []
  eachField(reader, end, field => {
    if (field === 1) exists = reader.bool()
    else if (field === 2) endpoints.push(readMessage(reader, readEndpoint))
    else if (field === 3) metadata.push(readMessage(reader, readMetadatum))
    else return false
    return true
  })
  return exists ? { kind: 'bound', endpoints, ...metadataOf(metadata) } : { kind: 'neg' }
}

function readEndpoint(reader: Reader, end: number): Endpoint {
  let address = ''
  let port = 0
  let weight = 1
  const metadata: [string, MetadataValue][] = []
  eachField(reader, end, field => {
    if (field === 1) address = reader.string()
    else if (field === 2) port = reader.uint32()
    else if (field === 3) weight = reader.double()
    else if (field === 4) metadata.push(readMessage(reader, readMetadatum))
    else return false
    return true
  })
  return { address, port, weight, ...metadataOf(metadata) }
}

function readMetadatum(reader: Reader, end: number): [string, MetadataValue] {
  let name = ''
  let value: MetadataValue = ''
  eachField(reader, end, field => {
    if (field === 1) name = reader.string()
    else if (field === 2) value = reader.string()
    else if (field === 3) value = reader.double()
    else if (field === 4) value = reader.bool()
    else return false
    return true
  })
  return [name, value]
}

function metadataOf(entries: readonly [string, MetadataValue][]): { metadata?: Metadata } {
  return entries.length === 0 ? {} : { metadata: Object.fromEntries(entries) }
}
