// Paths and name trees as io.linkerd.mesh has them, over either kind of leaf. Knows no message around them.
import type protobuf from 'protobufjs/minimal.js'
import type { BoundName } from '../naming/bound-tree.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union, type Weighted } from '../naming/name-tree.ts'
import { emptyPath, type Path } from '../naming/path.ts'
import type { ByteWriter } from './byte-writer.ts'
import { eachField, lengthDelimited, readMessage, tagOf } from './fields.ts'
import { readPath, writePath } from './naming-values.ts'

type Reader = protobuf.Reader

/** How one kind of tree stands on the wire. */
interface TreeForm<L> {
  /** Levels of alternatives and unions that are written or read. */
  readonly maxDepth: number
  /** Whether a tree without a node that is known here is neg; otherwise it is malformed. */
  readonly isUnsetNeg: boolean
  readonly writeLeaf: (writer: ByteWriter, value: L) => void
  readonly readLeaf: (reader: Reader, end: number) => L
}

const pathForm: TreeForm<Path> = {
  maxDepth: 100,
  isUnsetNeg: false,
  writeLeaf: (writer, id) => writePathField(writer, 1, id),
  readLeaf: readPathLeaf,
}

/** A binding three of whose messages make one level: common protobuf readers stop at a hundred. */
const boundForm: TreeForm<BoundName> = {
  maxDepth: 30,
  isUnsetNeg: true,
  writeLeaf: writeBoundName,
  readLeaf: readBoundName,
}

/** A Path message as a field. */
export function writePathField(writer: ByteWriter, field: number, path: Path): void {
  writePath(writer.uint32(tagOf(field, lengthDelimited)).fork(), path).ldelim()
}

/** A Path message; an empty label is a RangeError. */
export function readMeshPath(reader: Reader, end: number): Path {
  const path = readPath(reader, end)
  if (path.includes('')) throw new RangeError('a label of a path is empty')
  return path
}

/** Fields of a leaf: id and residual. */
export function writeBoundName(writer: ByteWriter, { id, residual }: BoundName): void {
  writePathField(writer, 1, id)
  writePathField(writer, 2, residual)
}

/** A leaf: id and residual, each empty when it is not there. */
export function readBoundName(reader: Reader, end: number): BoundName {
  let id = emptyPath
  let residual = emptyPath
  eachField(reader, end, field => {
    if (field === 1) id = readMessage(reader, readMeshPath)
    else if (field === 2) residual = readMessage(reader, readMeshPath)
    else return false
    return true
  })
  return { id, residual }
}

/** Fields of a PathNameTree. Throws a RangeError when it is too deep for the wire. */
export function writePathTree(writer: ByteWriter, tree: NameTree<Path>): void {
  writeTree(writer, tree, pathForm, 0)
}

/** The same in steps, for a tree of any width: a step ends between two branches where `isStepOver` says so. */
export function* writePathTreeInSteps(
  writer: ByteWriter,
  tree: NameTree<Path>,
  isStepOver: () => boolean,
  depth = 0,
): Generator<undefined, void> {
  if (isNarrow(tree)) {
    writeTree(writer, tree, pathForm, depth)
    if (isStepOver()) yield
    return
  }
  checkDepth(depth, pathForm.maxDepth)
  writer.uint32(tagOf(nodeField[tree.kind], lengthDelimited)).fork()
  if (tree.kind === 'alt') for (const child of tree.trees) yield* writeChildInSteps(writer, 1, child, isStepOver, depth)
  else if (tree.kind === 'union') {
    for (const { weight, tree: child } of tree.branches) {
      writeWeight(writer.uint32(tagOf(1, lengthDelimited)).fork(), weight)
      yield* writeChildInSteps(writer, 2, child, isStepOver, depth)
      writer.ldelim()
    }
  }
  writer.ldelim()
}

/** A PathNameTree. Throws a RangeError when it is malformed or too deep. */
export function readPathTree(reader: Reader, end: number): NameTree<Path> {
  return readTree(reader, end, pathForm, 0)
}

/** Fields of a BoundNameTree. Throws a RangeError when it is too deep for the wire. */
export function writeBoundTree(writer: ByteWriter, tree: NameTree<BoundName>): void {
  writeTree(writer, tree, boundForm, 0)
}

/** A BoundNameTree; without a node it is neg. Throws a RangeError when it is malformed or too deep. */
export function readBoundTree(reader: Reader, end: number): NameTree<BoundName> {
  return readTree(reader, end, boundForm, 0)
}

const fixed64 = 1
const nodeField = { neg: 1, fail: 2, empty: 3, alt: 4, union: 5, leaf: 6 } as const

function checkDepth(depth: number, maxDepth: number): void {
  if (depth > maxDepth) throw new RangeError(`the tree has more than ${maxDepth} levels`)
}

function writeTree<L>(writer: ByteWriter, tree: NameTree<L>, form: TreeForm<L>, depth: number): void {
  checkDepth(depth, form.maxDepth)
  writer.uint32(tagOf(nodeField[tree.kind], lengthDelimited)).fork()
  if (tree.kind === 'leaf') form.writeLeaf(writer, tree.value)
  else if (tree.kind === 'alt') for (const child of tree.trees) writeChild(writer, 1, child, form, depth)
  else if (tree.kind === 'union') {
    for (const branch of tree.branches) {
      writeWeight(writer.uint32(tagOf(1, lengthDelimited)).fork(), branch.weight)
      writeChild(writer, 2, branch.tree, form, depth)
      writer.ldelim()
    }
  }
  writer.ldelim()
}

function writeChild<L>(writer: ByteWriter, field: number, child: NameTree<L>, form: TreeForm<L>, depth: number): void {
  writer.uint32(tagOf(field, lengthDelimited)).fork()
  writeTree(writer, child, form, depth + 1)
  writer.ldelim()
}

function* writeChildInSteps(
  writer: ByteWriter,
  field: number,
  child: NameTree<Path>,
  isStepOver: () => boolean,
  depth: number,
): Generator<undefined, void> {
  writer.uint32(tagOf(field, lengthDelimited)).fork()
  yield* writePathTreeInSteps(writer, child, isStepOver, depth + 1)
  writer.ldelim()
}

const mostLeavesAtOnce = 200

/** Whether a tree has few leaves and marks. */
function isNarrow(tree: NameTree<unknown>): boolean {
  return leavesUpTo(tree, mostLeavesAtOnce) <= mostLeavesAtOnce
}

/** How many there are; beyond `most` they are not counted. */
function leavesUpTo(tree: NameTree<unknown>, most: number): number {
  if (tree.kind !== 'alt' && tree.kind !== 'union') return 1
  const width = tree.kind === 'alt' ? tree.trees.length : tree.branches.length
  if (width > most) return width
  const children = tree.kind === 'alt' ? tree.trees : tree.branches.map(branch => branch.tree)
  let leaves = 0
  for (const child of children) {
    leaves += leavesUpTo(child, most - leaves)
    if (leaves > most) break
  }
  return leaves
}

/** The weight of a branch, its field 1. */
export function writeWeight(writer: ByteWriter, weight: number): void {
  writer.uint32(tagOf(1, fixed64)).double(weight)
}

/** The same read; what cannot be a weight is a RangeError. */
export function readWeight(reader: Reader): number {
  const weight = reader.double()
  if (!(weight >= 0)) throw new RangeError(`${weight} is not a weight`)
  return weight
}

function readTree<L>(reader: Reader, end: number, form: TreeForm<L>, depth: number): NameTree<L> {
  checkDepth(depth, form.maxDepth)
  let tree: NameTree<L> | undefined
  eachField(reader, end, field => {
    if (field < 1 || field > nodeField.leaf) return false
    tree = readMessage(reader, (inner, innerEnd) => readNode(field, inner, innerEnd, { form, depth }))
    return true
  })
  if (tree !== undefined) return tree
  if (form.isUnsetNeg) return neg
  throw new RangeError('a tree has no node that is known here')
}

interface Level<L> {
  readonly form: TreeForm<L>
  readonly depth: number
}

function readNode<L>(field: number, reader: Reader, end: number, level: Level<L>): NameTree<L> {
  if (field === nodeField.leaf) return leaf(level.form.readLeaf(reader, end))
  if (field === nodeField.alt) return alt(readAlternatives(reader, end, level))
  if (field === nodeField.union) return union(readBranches(reader, end, level))
  eachField(reader, end, () => false)
  if (field === nodeField.neg) return neg
  return field === nodeField.fail ? fail : empty
}

function readAlternatives<L>(reader: Reader, end: number, { form, depth }: Level<L>): readonly NameTree<L>[] {
  const trees: NameTree<L>[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    trees.push(readMessage(reader, (inner, innerEnd) => readTree(inner, innerEnd, form, depth + 1)))
    return true
  })
  return trees
}

function readBranches<L>(reader: Reader, end: number, level: Level<L>): readonly Weighted<L>[] {
  const branches: Weighted<L>[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    branches.push(readMessage(reader, (inner, innerEnd) => readBranch(inner, innerEnd, level)))
    return true
  })
  return branches
}

function readBranch<L>(reader: Reader, end: number, { form, depth }: Level<L>): Weighted<L> {
  let weight = 0
  let tree: NameTree<L> | undefined
  eachField(reader, end, field => {
    if (field === 1) weight = readWeight(reader)
    else if (field === 2) tree = readMessage(reader, (inner, innerEnd) => readTree(inner, innerEnd, form, depth + 1))
    else return false
    return true
  })
  if (tree === undefined) throw new RangeError('a branch of a union has no tree')
  return { weight, tree }
}

function readPathLeaf(reader: Reader, end: number): Path {
  let id: Path | undefined
  eachField(reader, end, field => {
    if (field !== 1) return false
    id = readMessage(reader, readMeshPath)
    return true
  })
  return id ?? emptyPath
}
