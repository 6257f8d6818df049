// What a dtab must be to be stored, beyond being well-formed.
import type { Dtab } from './dtab.ts'
import { NamingError } from './errors.ts'
import { foldNameTree } from './fold.ts'
import { formatPrefix } from './format.ts'
import type { NameTree } from './name-tree.ts'
import type { Path } from './path.ts'
import { failure, type Result, success } from './result.ts'
import { maxTerms } from './tree-parser.ts'

/** How many paths and marks a tree has: what the parser counts. */
function countTerms(tree: NameTree<Path>): number {
  if (tree.kind !== 'alt' && tree.kind !== 'union') return 1
  const sum = (parts: readonly number[]): number => parts.reduce((total, part) => total + part, 0)
  return foldNameTree<Path, number>(tree, { leaf: () => 1, mark: () => 1, alt: sum, union: sum })
}

function hasInfiniteWeight(tree: NameTree<Path>): boolean {
  if (tree.kind !== 'alt' && tree.kind !== 'union') return false
  return foldNameTree<Path, boolean>(tree, {
    leaf: () => false,
    mark: () => false,
    alt: parts => parts.includes(true),
    union: (parts, weights) => parts.includes(true) || !weights.every(Number.isFinite),
  })
}

/**
 * The dtab itself, or a `bad-dtab` error: it has more terms than its text could be read back with, or the first entry,
 * which is named, with a weight too large to be kept.
 */
export function checkDtab(dtab: Dtab): Result<Dtab> {
  const terms = dtab.reduce((total, dentry) => total + countTerms(dentry.dst), 0)
  if (terms > maxTerms) return failure(new NamingError('bad-dtab', `the dtab has more than ${maxTerms} terms`))
  const index = dtab.findIndex(dentry => hasInfiniteWeight(dentry.dst))
  const dentry = dtab[index]
  if (dentry === undefined) return success(dtab)
  const prefix = formatPrefix(dentry.prefix)
  const message = `entry ${index} (${prefix}) has a weight that is too large to be kept`
  return failure(new NamingError('bad-dtab', message, { detail: { index, prefix } }))
}
