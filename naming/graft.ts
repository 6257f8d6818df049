// Appending what is left of a looked-up path to the leaves of the tree that its prefix led to.
import { foldNameTree } from './fold.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union, type Weighted } from './name-tree.ts'
import type { Label, Path } from './path.ts'

const marks = { neg, fail, empty } as const

function isSimple<L>(tree: NameTree<L>): boolean {
  return tree.kind !== 'alt' && tree.kind !== 'union'
}

/** `path` and then the labels of `tail` from `from` on, in one array of exact size: a lookup makes little else. */
export function extendPath(path: Path, tail: Path, from: number): Path {
  if (from >= tail.length) return path
  const whole = new Array<Label>(path.length + tail.length - from)
  for (let i = 0; i < path.length; i++) whole[i] = path[i] ?? ''
  for (let i = from; i < tail.length; i++) whole[path.length + i - from] = tail[i] ?? ''
  return whole
}

function graftSimple(tree: NameTree<Path>, tail: Path, from: number): NameTree<Path> {
  return tree.kind === 'leaf' ? { kind: 'leaf', value: extendPath(tree.value, tail, from) } : tree
}

/**
 * The tree with the labels of `tail` from `from` on appended to every leaf; the tree itself when there are none.
 * Depth costs no stack.
 */
export function graft(tree: NameTree<Path>, tail: Path, from = 0): NameTree<Path> {
  if (from >= tail.length) return tree
  if (tree.kind === 'alt' && tree.trees.every(isSimple)) {
    return alt(tree.trees.map(child => graftSimple(child, tail, from)))
  }
  if (tree.kind === 'union' && tree.branches.every(branch => isSimple(branch.tree))) {
    return union(tree.branches.map(branch => ({ weight: branch.weight, tree: graftSimple(branch.tree, tail, from) })))
  }
  return isSimple(tree) ? graftSimple(tree, tail, from) : graftDeep(tree, tail.slice(from))
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
