// Random labels, paths, trees and dtabs in the shapes that parsing gives.
import fc from 'fast-check'
import type { Dentry, Dtab, Prefix } from '../../naming/dtab.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'

/** The seed of every property here, so that a run repeats. */
export const seed = 20210400

const anyByte = fc.integer({ min: 0, max: 255 }).map(byte => String.fromCharCode(byte))

/** Labels of any bytes. */
export const wildLabel = fc.string({ unit: anyByte, minLength: 1, maxLength: 6 })

/** Labels of which few are different, so that prefixes and paths often meet. */
export const fewLabels = fc.constantFrom('a', 'b', 'c')

export const anyWeight = fc.oneof(
  fc.double({ min: 0, noNaN: true, maxExcluded: true, max: Number.POSITIVE_INFINITY }),
  fc.constantFrom(0, 1, 0.1, 0.005, 1e21, 1e-7, 5e-324, Number.MAX_VALUE),
)

export function pathOf(label: fc.Arbitrary<string>, maxLength = 4): fc.Arbitrary<Path> {
  return fc.array(label, { maxLength })
}

export function prefixOf(label: fc.Arbitrary<string>, maxLength = 4): fc.Arbitrary<Prefix> {
  return fc.array(fc.option(label, { freq: 4 }), { maxLength })
}

/** Trees in which every alternative and union has two children or more, as in parsed ones. */
export function treeOf<L>(value: fc.Arbitrary<L>): fc.Arbitrary<NameTree<L>> {
  const { tree } = fc.letrec<{ tree: NameTree<L> }>(tie => ({
    tree: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      value.map(each => leaf(each)),
      fc.constantFrom<NameTree<L>>(neg, fail, empty),
      fc.array(tie('tree'), { minLength: 2, maxLength: 3 }).map(trees => alt(trees)),
      fc
        .array(fc.record({ weight: anyWeight, tree: tie('tree') }), { minLength: 2, maxLength: 3 })
        .map(branches => union(branches)),
    ),
  }))
  return tree
}

export function dentryOf(label: fc.Arbitrary<string>): fc.Arbitrary<Dentry> {
  return fc.record({ prefix: prefixOf(label), dst: treeOf(pathOf(label, 2)) })
}

export function dtabOf(label: fc.Arbitrary<string>, maxLength = 6): fc.Arbitrary<Dtab> {
  return fc.array(dentryOf(label), { maxLength })
}

/** A dtab and an edited one: entries taken out, put in and replaced here and there, or moved. */
export function editedDtab(size: number): fc.Arbitrary<{ before: Dtab; after: Dtab }> {
  const edit = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('remove', 'insert', 'replace', 'move'),
    dentry: dentryOf(fewLabels),
  })
  return fc
    .record({
      before: fc.array(dentryOf(fewLabels), { maxLength: size, size: 'max' }),
      edits: fc.array(edit, { maxLength: 4 }),
    })
    .map(({ before, edits }) => {
      const after = [...before]
      for (const { at, kind, dentry } of edits) {
        const index = after.length === 0 ? 0 : at % after.length
        const [taken] = kind === 'insert' ? [] : after.splice(index, 1)
        if (kind === 'insert' || kind === 'replace') after.splice(index, 0, dentry)
        if (kind === 'move' && taken !== undefined) after.push(taken)
      }
      return { before, after }
    })
}
