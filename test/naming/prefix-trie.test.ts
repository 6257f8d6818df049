import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import type { Prefix } from '../../naming/dtab.ts'
import { collectMatches, type Ranked, TrieEditor, type TrieNode } from '../../naming/prefix-trie.ts'

function value(order: number, ...prefix: Prefix): Ranked {
  return { order, prefix }
}

function found(root: TrieNode<Ranked>, ...path: string[]): number[] {
  const values: Ranked[] = []
  const count = collectMatches(root, path, values)
  return values
    .slice(0, count)
    .map(each => each.order)
    .sort((a, b) => a - b)
}

function trieOf(values: readonly Ranked[], from?: TrieNode<Ranked>): TrieNode<Ranked> {
  const editor = new TrieEditor(from)
  for (const each of values) editor.add(each)
  return editor.root
}

const many = Array.from({ length: 100 }, (_, i) => value(i, 'svc', String(i)))

test('an edit leaves the version it began from as it was', () => {
  const before = trieOf(many)
  const editor = new TrieEditor(before)
  editor.remove(value(7, 'svc', '7'))
  editor.add(value(200, 'svc', null))
  expect(found(editor.root, 'svc', '7')).toEqual([200])
  expect(found(before, 'svc', '7')).toEqual([7])
})

test('removing everything leaves a bare root', () => {
  const editor = new TrieEditor(trieOf(many))
  for (const each of many) editor.remove(each)
  expect(editor.root).toMatchObject({ values: [], children: undefined, any: undefined })
})

test('removing what is not there changes nothing', () => {
  const editor = new TrieEditor(trieOf(many))
  editor.remove(value(7, 'svc', 'absent'))
  editor.remove(value(1_000, 'svc', '7'))
  expect(many.filter(each => found(editor.root, ...each.prefix.map(String)).length !== 1)).toEqual([])
})

test('a version does not hold those before it in memory', () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage: () => void = runInNewContext('gc')
  const versions: WeakRef<TrieNode<Ranked>>[] = []
  let root = trieOf(many)
  for (let edit = 0; edit < 5; edit++) {
    versions.push(new WeakRef(root))
    root = trieOf([value(1_000 + edit, 'svc', `new-${edit}`, 'x')], root)
  }
  return new Promise<void>(resolve => setImmediate(resolve)).then(() => {
    collectGarbage()
    expect(versions.filter(version => version.deref() !== undefined)).toEqual([])
    expect(found(root, 'svc', 'new-0', 'x')).toEqual([1_000])
  })
})
