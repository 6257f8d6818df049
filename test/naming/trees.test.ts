import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BoundName, type BoundTree, boundTreeEquals, formatBoundTree } from '../../naming/bound-tree.ts'
import { dentryDigest } from '../../naming/dentry-digest.ts'
import { dtabHash } from '../../naming/dtab-hash.ts'
import { dentryEquals, dtabEquals, nameTreeEquals } from '../../naming/equal.ts'
import { evalNameTree } from '../../naming/eval.ts'
import { formatDtab, formatNameTree } from '../../naming/format.ts'
import { graft } from '../../naming/graft.ts'
import { alt, leaf, type NameTree, neg, union } from '../../naming/name-tree.ts'
import { parseDtab, parseNameTree } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { orThrow } from '../../naming/result.ts'
import { showNameTree } from '../../naming/show.ts'
import { simplifyDtab, simplifyNameTree } from '../../naming/simplify.ts'
import { eachLeaf } from '../../naming/tree-leaves.ts'
import { dtabOf, fewLabels, pathOf, seed, treeOf, wildLabel } from './language.fixture.ts'

/** A copy that shares no object with the tree. */
function copyOf<T>(value: T): T {
  return structuredClone(value)
}

const boundName: fc.Arbitrary<BoundName> = fc.record({ id: pathOf(fewLabels, 2), residual: pathOf(fewLabels, 2) })

describe('equality', () => {
  test('holds for copies and agrees with the exact text', () => {
    const tree = treeOf(pathOf(fewLabels, 2))
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        expect(nameTreeEquals(a, copyOf(a))).toBe(true)
        expect(nameTreeEquals(a, b)).toBe(formatNameTree(a) === formatNameTree(b))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('of dtabs agrees with their text and hash, and equal dentries have equal digests', () => {
    const dtab = dtabOf(fewLabels, 2)
    fc.assert(
      fc.property(dtab, dtab, (a, b) => {
        const isEqual = formatDtab(a) === formatDtab(b)
        expect(dtabEquals(a, b)).toBe(isEqual)
        expect(dtabHash(a) === dtabHash(b)).toBe(isEqual)
        for (const dentry of a) {
          expect(dentryEquals(dentry, copyOf(dentry))).toBe(true)
          expect(dentryDigest(copyOf(dentry))).toBe(dentryDigest(dentry))
        }
      }),
      { seed, numRuns: 500 },
    )
  })

  test('of a hash does not depend on comments or layout', () => {
    const [a, b] = [
      orThrow(parseDtab('/a=>/b;/c=>0.30*/d&/e')),
      orThrow(parseDtab(' # x\n/a => /b ;\n/c=>.3*/d & /e;')),
    ]
    expect(dtabHash(a)).toBe(dtabHash(b))
    expect(dtabHash(a)).toMatch(/^[0-9a-f]{16}$/)
  })
})

describe('a bound tree', () => {
  test('has a text of its own for each different binding', () => {
    const tree = treeOf(boundName)
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        expect(boundTreeEquals(a, copyOf(a))).toBe(true)
        expect(boundTreeEquals(a, b)).toBe(formatBoundTree(a) === formatBoundTree(b))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('shows id and residual apart, and weights whole', () => {
    const bound = (id: Path, residual: Path): BoundTree => leaf({ id, residual })
    const tree: BoundTree = union([
      { weight: 1 / 3, tree: bound(['#', 'fs', 'web'], []) },
      { weight: 1, tree: bound(['#', 'fs'], ['web', 'x']) },
    ])
    expect(formatBoundTree(tree)).toBe('0.3333333333333333*/#/fs/web & /#/fs,/web/x')
  })
})

describe('simplifying', () => {
  test.each([
    ['! | /a', '!'],
    ['/a | ! | /b', '/a | !'],
    ['~ | ~', '~'],
    ['$ | /a', '$ | /a'],
    ['! & !', '~'],
    ['$ & /a', '$ & /a'],
    ['~ & 0.5*/a', '/a'],
    ['/a | (/b | ~)', '/a | /b'],
    ['/a | (/b | !) | /c', '/a | (/b | !) | /c'],
  ])('makes %s into %s', (text, simple) => {
    expect(showNameTree(simplifyNameTree(orThrow(parseNameTree(text))))).toBe(simple)
  })

  test('changes nothing the second time, and never what a tree evaluates to', () => {
    fc.assert(
      fc.property(treeOf(pathOf(wildLabel, 2)), tree => {
        const simple = simplifyNameTree(tree)
        expect(simplifyNameTree(simple)).toEqual(simple)
        expect(evalNameTree(simple)).toEqual(evalNameTree(tree))
      }),
      { seed, numRuns: 300 },
    )
  })

  test('takes entries without any destination out of a dtab', () => {
    expect(formatDtab(simplifyDtab(orThrow(parseDtab('/a=>~|~;/b=>/c|~;/d=>!'))))).toBe('/b => /c ;\n/d => ! ;\n')
  })
})

test('grafting an empty residual gives the tree itself', () => {
  const tree = orThrow(parseNameTree('/a | 0.5*/b & !'))
  expect(graft(tree, [])).toBe(tree)
  expect(formatNameTree(graft(tree, ['x']))).toBe('/a/x | 0.5*/b/x & !')
})

test('a tree thirty thousand levels deep is written, compared, simplified, evaluated and grafted', () => {
  const deep = (): NameTree<Path> => {
    let tree: NameTree<Path> = leaf(['a'])
    for (let level = 0; level < 30_000; level++) {
      tree =
        level % 2 === 0
          ? alt([neg, tree])
          : union([
              { weight: 2, tree },
              { weight: 1, tree: leaf(['b']) },
            ])
    }
    return tree
  }
  const tree = deep()
  expect(nameTreeEquals(tree, deep())).toBe(true)
  expect(showNameTree(tree).length).toBeGreaterThan(150_000)
  expect(formatNameTree(simplifyNameTree(graft(tree, ['x'])))).toContain('/a/x')
  expect(evalNameTree(tree)).toEqual([['a'], ['b']])
  expect(dentryDigest({ prefix: [], dst: tree })).toBe(dentryDigest({ prefix: [], dst: deep() }))
})

describe('the leaves of a tree', () => {
  test('are visited left to right, each time they stand there, in a tree of any width', () => {
    const few: string[] = []
    eachLeaf(orThrow(parseNameTree('/a | (/b & ~ & (/c | /a)) | ! | /d')), path => few.push(path.join()))
    expect(few).toEqual(['a', 'b', 'c', 'a', 'd'])
    const leaves = Array.from({ length: 300_000 }, (_, i) => leaf(i))
    for (const wide of [alt(leaves), union(leaves.map(tree => ({ weight: 1, tree })))]) {
      let next = 0
      let inOrder = 0
      eachLeaf(wide, i => {
        if (i === next++) inOrder++
      })
      expect([next, inOrder]).toEqual([300_000, 300_000])
    }
  })
})
