// Appending what is left of a looked-up path to the leaves of the tree that its prefix led to.
import { foldNameTree } from './fold.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union, type Weighted } from './name-tree.ts'
import type { Path } from './path.ts'

const marks = { neg, fail, empty } as const

function isSimple<L>(tree: NameTree<L>): boolean {
  return tree.kind !== 'alt' && tree.kind !== 'union'
}

function graftSimple(tree: NameTree<Path>, residual: Path): NameTree<Path> {
  return tree.kind === 'leaf' ? { kind: 'leaf', value: tree.value.concat(residual) } : tree
}

/** The tree with `residual` appended to every leaf; the tree itself when there is nothing to append. Depth costs no stack. */
export function graft(tree: NameTree<Path>, residual: Path): NameTree<Path> {
  if (residual.length === 0) return tree
  if (tree.kind === 'alt' && tree.trees.every(isSimple)) {
    return alt(tree.trees.map(child => graftSimple(child, residual)))
  }
  if (tree.kind === 'union' && tree.branches.every(branch => isSimple(branch.tree))) {
    return union(tree.branches.map(branch => ({ weight: branch.weight, tree: graftSimple(branch.tree, residual) })))
  }
  return isSimple(tree) ? graftSimple(tree, residual) : graftDeep(tree, residual)
}

function graftDeep(tree: NameTree<Path>, residual: Path): NameTree<Path> {
  return foldNameTree<Path, NameTree<Path>>(tree, {
    leaf: path => leaf(path.concat(residual)),
    mark: kind => marks[kind],
    alt,
    union: (parts, weights) =>
      union(parts.map((part, index): Weighted<Path> => ({ weight: weights[index] ?? 1, tree: part }))),
  })
}
