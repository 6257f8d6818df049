// Lookup by the letter of the language, entry by entry: what the index is compared with.
import { type Dtab, prefixMatches } from '../../naming/dtab.ts'
import { alt, leaf, type NameTree, neg, union } from '../../naming/name-tree.ts'
import type { Path } from '../../naming/path.ts'

function append(tree: NameTree<Path>, residual: Path): NameTree<Path> {
  switch (tree.kind) {
    case 'leaf':
      return leaf([...tree.value, ...residual])
    case 'alt':
      return alt(tree.trees.map(child => append(child, residual)))
    case 'union':
      return union(tree.branches.map(({ weight, tree: child }) => ({ weight, tree: append(child, residual) })))
    default:
      return tree
  }
}

export function naiveLookup(dtab: Dtab, path: Path): NameTree<Path> {
  const trees = dtab
    .filter(({ prefix }) => prefixMatches(prefix, path))
    .map(({ prefix, dst }) => append(dst, path.slice(prefix.length)))
    .reverse()
  const [first] = trees
  if (first === undefined) return neg
  return trees.length === 1 ? first : alt(trees)
}
