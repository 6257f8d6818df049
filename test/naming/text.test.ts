import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDentry, formatDtab, formatNameTree, formatPrefix } from '../../naming/format.ts'
import { alt, leaf, type NameTree, neg, union } from '../../naming/name-tree.ts'
import { parseDentry, parseDtab, parseNameTree, parsePath, parsePrefix } from '../../naming/parse.ts'
import { type Path, showPath } from '../../naming/path.ts'
import { success } from '../../naming/result.ts'
import { showDtab, showNameTree } from '../../naming/show.ts'
import { formatWeight, showWeight } from '../../naming/weight-text.ts'
import { anyWeight, dentryOf, dtabOf, pathOf, prefixOf, seed, treeOf, wildLabel } from './language.fixture.ts'

describe('exact text', () => {
  const options = { seed, numRuns: 500 }

  test('of a path parses to the path', () => {
    fc.assert(
      fc.property(pathOf(wildLabel), path => {
        expect(parsePath(showPath(path))).toEqual(success(path))
      }),
      options,
    )
  })

  test('of a prefix parses to the prefix', () => {
    fc.assert(
      fc.property(prefixOf(wildLabel), prefix => {
        expect(parsePrefix(formatPrefix(prefix))).toEqual(success(prefix))
      }),
      options,
    )
  })

  test('of a tree parses to the tree, weights included', () => {
    fc.assert(
      fc.property(treeOf(pathOf(wildLabel)), tree => {
        expect(parseNameTree(formatNameTree(tree))).toEqual(success(tree))
      }),
      options,
    )
  })

  test('of a dentry and of a dtab parses to the same', () => {
    fc.assert(
      fc.property(dentryOf(wildLabel), dentry => {
        expect(parseDentry(formatDentry(dentry))).toEqual(success(dentry))
      }),
      options,
    )
    fc.assert(
      fc.property(dtabOf(wildLabel), dtab => {
        expect(parseDtab(formatDtab(dtab))).toEqual(success(dtab))
      }),
      options,
    )
  })

  test('of a weight has no exponent and loses nothing', () => {
    fc.assert(
      fc.property(anyWeight, weight => {
        expect(formatWeight(weight)).toMatch(/^[0-9]+(\.[0-9]+)?$/)
        expect(Number(formatWeight(weight))).toBe(weight)
      }),
      { seed, numRuns: 500 },
    )
    expect(Number(formatWeight(Number.POSITIVE_INFINITY))).toBe(Number.POSITIVE_INFINITY)
  })

  test('has one entry a line', () => {
    const dtab = parseDtab('/svc=>/host#1;/host=>0.333*/a&/b | !')
    expect(dtab.ok && formatDtab(dtab.value)).toBe('/svc => /host#1 ;\n/host => 0.333*/a & /b | ! ;\n')
    expect(formatDtab([])).toBe('')
  })
})

describe("Finagle's text", () => {
  test('has weights with two decimals, rounded half up on the shortest decimal form', () => {
    const table: readonly [number, string][] = [
      [0.005, '0.01'],
      [1.005, '1.01'],
      [2.675, '2.68'],
      [0.125, '0.13'],
      [0.995, '1.00'],
      [0.9999, '1.00'],
      [0.004999, '0.00'],
      [0, '0.00'],
      [99.999, '100.00'],
      [1e-9, '0.00'],
      [1e21, '1000000000000000000000.00'],
      [123456.785, '123456.79'],
      [Number.POSITIVE_INFINITY, 'Infinity'],
    ]
    expect(table.map(([weight]) => showWeight(weight))).toEqual(table.map(([, text]) => text))
  })

  test('parses again, to a tree of the same shape', () => {
    fc.assert(
      fc.property(dtabOf(wildLabel), dtab => {
        const again = parseDtab(showDtab(dtab))
        expect(again.ok && showDtab(again.value)).toBe(showDtab(dtab))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('of a node with one child is that of the child, of one with none is ~', () => {
    const single: NameTree<Path> = alt([union([{ weight: 0.5, tree: leaf(['a']) }])])
    expect(showNameTree(single)).toBe('/a')
    expect(showNameTree(alt([]))).toBe('~')
    expect(showNameTree(union([]))).toBe('~')
    expect(showNameTree(alt([alt([]), neg]))).toBe('~ | ~')
  })
})
