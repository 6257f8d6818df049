// Explanations of bindings as io.linkerd.mesh has them. Knows no message around them.
import type protobuf from 'protobufjs/minimal.js'
import type { BoundName } from '../naming/bound-tree.ts'
import type { Dentry } from '../naming/dtab.ts'
import { neg } from '../naming/name-tree.ts'
import { emptyPath, type Path } from '../naming/path.ts'
import { ByteWriter } from './byte-writer.ts'
import { eachField, lengthDelimited, readMessage, tagOf } from './fields.ts'
import { readDentry, writeDentry } from './mesh-dtab.ts'
import { readBoundName, readMeshPath, readWeight, writeBoundName, writePathField, writeWeight } from './mesh-trees.ts'

type Reader = protobuf.Reader

/** One step of an explanation. The rule that led here is absent where none did. */
export type WireDelegateTree = { readonly path: Path; readonly dentry?: Dentry } & (
  | { readonly kind: 'neg' | 'fail' | 'empty' }
  | { readonly kind: 'exception'; readonly message: string }
  | { readonly kind: 'delegate'; readonly tree: WireDelegateTree }
  | { readonly kind: 'leaf'; readonly id: Path; readonly residual: Path }
  | { readonly kind: 'alt'; readonly trees: readonly WireDelegateTree[] }
  | {
      readonly kind: 'union'
      readonly branches: readonly { readonly weight: number; readonly tree: WireDelegateTree }[]
    }
  | { readonly kind: 'transformation'; readonly name: string; readonly tree: WireDelegateTree }
)

/** Steps inside one another: a hundred rewrites, each through several levels of a rule's tree. */
const maxDepth = 400

/** What stands for the rule where none led to a step. */
const noRule: Dentry = { prefix: ['/'], dst: neg }

const nodeField = {
  neg: 3,
  fail: 4,
  empty: 5,
  alt: 6,
  union: 7,
  leaf: 8,
  delegate: 9,
  transformation: 10,
  exception: 11,
} as const

/** What namerd puts before the words of an exception. */
const exceptionPrefix = 'BoundDelegateTree Exception: '

function checkDepth(depth: number): void {
  if (depth > maxDepth) throw new RangeError(`the explanation has more than ${maxDepth} levels`)
}

/** Fields of a BoundDelegateTree. Throws a RangeError when it is too deep for the wire. */
export function writeDelegateTree(writer: ByteWriter, tree: WireDelegateTree): void {
  writeStep({ writer, rules: new Map() }, tree, 0)
}

interface Writing {
  readonly writer: ByteWriter
  /** Rules in bytes: a wide one stands at each of its branches. */
  readonly rules: Map<Dentry, Uint8Array>
}

function writeStep(writing: Writing, tree: WireDelegateTree, depth: number): void {
  checkDepth(depth)
  const { writer, rules } = writing
  writePathField(writer, 1, tree.path)
  writer.uint32(tagOf(2, lengthDelimited)).bytes(ruleBytes(tree.dentry ?? noRule, rules))
  writer.uint32(tagOf(nodeField[tree.kind], lengthDelimited))
  if (tree.kind === 'exception') {
    writer.string(exceptionPrefix + tree.message)
    return
  }
  writer.fork()
  writeNode(writing, tree, depth + 1)
  writer.ldelim()
}

const ruleScratch = new ByteWriter()

function ruleBytes(rule: Dentry, rules: Writing['rules']): Uint8Array {
  const known = rules.get(rule)
  if (known !== undefined) return known
  writeDentry(ruleScratch.clear(), rule)
  const bytes = ruleScratch.finish()
  rules.set(rule, bytes)
  return bytes
}

function writeNode(writing: Writing, node: WireDelegateTree, depth: number): void {
  const { writer } = writing
  if (node.kind === 'leaf') writeBoundName(writer, node)
  else if (node.kind === 'delegate') writeStep(writing, node.tree, depth)
  else if (node.kind === 'alt') for (const tree of node.trees) writeChild(writing, 1, tree, depth)
  else if (node.kind === 'union') {
    for (const { weight, tree } of node.branches) {
      writeWeight(writer.uint32(tagOf(1, lengthDelimited)).fork(), weight)
      writeChild(writing, 2, tree, depth)
      writer.ldelim()
    }
  } else if (node.kind === 'transformation') {
    writer.uint32(tagOf(1, lengthDelimited)).string(node.name)
    writeChild(writing, 3, node.tree, depth)
  }
}

function writeChild(writing: Writing, field: number, tree: WireDelegateTree, depth: number): void {
  const { writer } = writing
  writer.uint32(tagOf(field, lengthDelimited)).fork()
  writeStep(writing, tree, depth)
  writer.ldelim()
}

/** A BoundDelegateTree. Throws a RangeError when it is malformed, too deep, or of a kind that is not known here. */
export function readDelegateTree(reader: Reader, end: number, depth = 0): WireDelegateTree {
  checkDepth(depth)
  let path = emptyPath
  let dentry: Dentry | undefined
  let node: Node | undefined
  eachField(reader, end, field => {
    const read = nodeReaders[field]
    if (field === 1) path = readMessage(reader, readMeshPath)
    else if (field === 2) dentry = readMessage(reader, readDentry)
    else if (field === nodeField.exception) node = { kind: 'exception', message: withoutPrefix(reader.string()) }
    else if (read === undefined) return false
    else node = readMessage(reader, (inner, innerEnd) => read(inner, innerEnd, depth + 1))
    return true
  })
  if (node === undefined) throw new RangeError('a step of the explanation has no node that is known here')
  return { path, ...(dentry !== undefined && !isNoRule(dentry) && { dentry }), ...node }
}

function isNoRule({ prefix, dst }: Dentry): boolean {
  return prefix.length === 1 && prefix[0] === '/' && dst.kind === 'neg'
}

function withoutPrefix(message: string): string {
  return message.startsWith(exceptionPrefix) ? message.slice(exceptionPrefix.length) : message
}

/** A step without where it stands. */
type Node = WireDelegateTree extends infer T ? (T extends unknown ? Omit<T, 'path' | 'dentry'> : never) : never

type NodeReader = (reader: Reader, end: number, depth: number) => Node

const nodeReaders: Readonly<Record<number, NodeReader>> = {
  [nodeField.neg]: (reader, end) => readMark(reader, end, 'neg'),
  [nodeField.fail]: (reader, end) => readMark(reader, end, 'fail'),
  [nodeField.empty]: (reader, end) => readMark(reader, end, 'empty'),
  [nodeField.alt]: (reader, end, depth) => ({ kind: 'alt', trees: readAlternatives(reader, end, depth) }),
  [nodeField.union]: (reader, end, depth) => ({ kind: 'union', branches: readBranches(reader, end, depth) }),
  [nodeField.leaf]: (reader, end) => leafOf(readBoundName(reader, end)),
  [nodeField.delegate]: (reader, end, depth) => ({ kind: 'delegate', tree: readDelegateTree(reader, end, depth) }),
  [nodeField.transformation]: readTransformation,
}

function readMark(reader: Reader, end: number, kind: 'neg' | 'fail' | 'empty'): Node {
  eachField(reader, end, () => false)
  return { kind }
}

function leafOf({ id, residual }: BoundName): Node {
  return { kind: 'leaf', id, residual }
}

function readAlternatives(reader: Reader, end: number, depth: number): readonly WireDelegateTree[] {
  const trees: WireDelegateTree[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    trees.push(readChild(reader, depth))
    return true
  })
  return trees
}

function readChild(reader: Reader, depth: number): WireDelegateTree {
  return readMessage(reader, (inner, innerEnd) => readDelegateTree(inner, innerEnd, depth))
}

type Branch = Extract<WireDelegateTree, { kind: 'union' }>['branches'][number]

function readBranches(reader: Reader, end: number, depth: number): readonly Branch[] {
  const branches: Branch[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    branches.push(readMessage(reader, (inner, innerEnd) => readBranch(inner, innerEnd, depth)))
    return true
  })
  return branches
}

function readBranch(reader: Reader, end: number, depth: number): Branch {
  let weight = 0
  let tree: WireDelegateTree | undefined
  eachField(reader, end, field => {
    if (field === 1) weight = readWeight(reader)
    else if (field === 2) tree = readChild(reader, depth)
    else return false
    return true
  })
  if (tree === undefined) throw new RangeError('a branch of a union has no tree')
  return { weight, tree }
}

function readTransformation(reader: Reader, end: number, depth: number): Node {
  let name = ''
  let tree: WireDelegateTree | undefined
  eachField(reader, end, field => {
    if (field === 1) name = reader.string()
    else if (field === 3) tree = readChild(reader, depth)
    else return false
    return true
  })
  if (tree === undefined) throw new RangeError('a transformation has no tree')
  return { kind: 'transformation', name, tree }
}
