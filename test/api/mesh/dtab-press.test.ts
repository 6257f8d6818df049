import { beforeEach, expect, test } from 'vitest'
import { DtabPress } from '../../../api/mesh/dtab-press.ts'
import type { NamespaceSnapshot } from '../../../interpreters/interpreter.ts'
import { alt, leaf, type NameTree } from '../../../naming/name-tree.ts'
import type { Path } from '../../../naming/path.ts'
import { decodeDtabRsp } from '../../../proto/mesh-messages.ts'

let press: DtabPress
let frames: Buffer[]

beforeEach(() => {
  press = new DtabPress({ add: () => {} })
  frames = []
})

const keep = (frame: Buffer): void => void frames.push(frame)

function snapshotOf(rules: number, dst: NameTree<Path> = leaf(['a'])): NamespaceSnapshot {
  return { exists: true, version: 258, hash: '', dtab: Array.from({ length: rules }, () => ({ prefix: ['svc'], dst })) }
}

test('a small dtab is there at once, with its version as eight bytes', () => {
  press.print(snapshotOf(2), keep)
  expect(frames.map(decodeDtabRsp)).toEqual([{ version: '\0\0\0\0\0\0\x01\x02', dtab: snapshotOf(2).dtab }])
  expect(press.open).toBe(0)
})

test('a large dtab is printed step by step and once, whenever somebody asks for it', () => {
  const large = snapshotOf(5_000)
  press.print(large, keep)
  expect(press.work()).toBe(true)
  press.print(large, keep)
  let pieces = 1
  while (press.work()) pieces++
  press.print(large, keep)
  const [frame = Buffer.alloc(0)] = frames
  expect(frames).toHaveLength(3)
  expect(frames.every(other => other === frame)).toBe(true)
  expect(decodeDtabRsp(frame).dtab).toHaveLength(5_000)
  expect(pieces).toBeGreaterThan(frame.length / 40_000 - 2)
})

test('a dtab that nobody waits for any more is given up, and a late end of a wait ends no other', () => {
  const large = snapshotOf(5_000)
  const ends = [press.print(large, keep), press.print(large, keep)]
  ends[0]?.()
  expect(press.open).toBe(1)
  ends[1]?.()
  expect([press.open, press.work()]).toEqual([0, false])
  press.print(large, keep)
  ends[1]?.()
  while (press.work());
  expect(frames).toHaveLength(1)
})

test('a dtab with a tree too deep for the wire has an empty frame', () => {
  let deep: NameTree<Path> = leaf(['a'])
  for (let i = 0; i < 101; i++) deep = alt([deep])
  press.print(snapshotOf(1, deep), keep)
  expect(frames).toEqual([Buffer.alloc(0)])
})
