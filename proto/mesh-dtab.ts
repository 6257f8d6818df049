// Dtabs and their entries as io.linkerd.mesh has them. Knows no message around them.
import type protobuf from 'protobufjs/minimal.js'
import type { Dentry, Dtab, Prefix, PrefixElem } from '../naming/dtab.ts'
import type { NameTree } from '../naming/name-tree.ts'
import type { Path } from '../naming/path.ts'
import type { ByteWriter } from './byte-writer.ts'
import { eachField, lengthDelimited, readLatin1, readMessage, tagOf } from './fields.ts'
import { readPathTree, writePathTree, writePathTreeInSteps } from './mesh-trees.ts'

type Reader = protobuf.Reader

/** Fields of a Dtab message. */
export function writeDtab(writer: ByteWriter, dtab: Dtab): void {
  for (const dentry of dtab) {
    writer.uint32(tagOf(1, lengthDelimited)).fork()
    writeDentry(writer, dentry)
    writer.ldelim()
  }
}

/** The same in steps, for a dtab of any size: a step ends where `isStepOver` says so. */
export function* writeDtabInSteps(
  writer: ByteWriter,
  dtab: Dtab,
  isStepOver: () => boolean,
): Generator<undefined, void> {
  for (const { prefix, dst } of dtab) {
    writer.uint32(tagOf(1, lengthDelimited)).fork()
    writePrefix(writer.uint32(tagOf(1, lengthDelimited)).fork(), prefix)
    writer.ldelim().uint32(tagOf(2, lengthDelimited)).fork()
    yield* writePathTreeInSteps(writer, dst, isStepOver)
    writer.ldelim().ldelim()
  }
}

/** Fields of a Dentry. */
export function writeDentry(writer: ByteWriter, { prefix, dst }: Dentry): void {
  writePrefix(writer.uint32(tagOf(1, lengthDelimited)).fork(), prefix)
  writePathTree(writer.ldelim().uint32(tagOf(2, lengthDelimited)).fork(), dst)
  writer.ldelim()
}

function writePrefix(writer: ByteWriter, prefix: Prefix): void {
  for (const elem of prefix) {
    writer.uint32(tagOf(1, lengthDelimited)).fork()
    if (elem === null) writer.uint32(tagOf(2, lengthDelimited)).fork().ldelim()
    else writer.uint32(tagOf(1, lengthDelimited)).latin1(elem)
    writer.ldelim()
  }
}

/** A Dtab message. Throws a RangeError when an entry lacks a side. */
export function readDtab(reader: Reader, end: number): Dtab {
  const dentries: Dentry[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    dentries.push(readMessage(reader, readDentry))
    return true
  })
  return dentries
}

/** A Dentry message. Throws a RangeError when it lacks a side. */
export function readDentry(reader: Reader, end: number): Dentry {
  let prefix: Prefix | undefined
  let dst: NameTree<Path> | undefined
  eachField(reader, end, field => {
    if (field === 1) prefix = readMessage(reader, readPrefix)
    else if (field === 2) dst = readMessage(reader, readPathTree)
    else return false
    return true
  })
  if (prefix === undefined) throw new RangeError('an entry of a dtab has no prefix')
  if (dst === undefined) throw new RangeError('an entry of a dtab has no destination')
  return { prefix, dst }
}

function readPrefix(reader: Reader, end: number): Prefix {
  const elems: PrefixElem[] = []
  eachField(reader, end, field => {
    if (field !== 1) return false
    elems.push(readMessage(reader, readElem))
    return true
  })
  return elems
}

function readElem(reader: Reader, end: number): PrefixElem {
  let elem: PrefixElem = ''
  eachField(reader, end, field => {
    if (field === 1) elem = readLatin1(reader)
    else if (field === 2) elem = readMessage(reader, readWildcard)
    else return false
    return true
  })
  if (elem === '') throw new RangeError('an element of a prefix is empty')
  return elem
}

function readWildcard(reader: Reader, end: number): null {
  eachField(reader, end, () => false)
  return null
}
