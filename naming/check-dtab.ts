// What a dtab must be to be stored, beyond being well-formed.
import type { Dtab } from './dtab.ts'
import { NamingError } from './errors.ts'
import { foldNameTree } from './fold.ts'
import { formatPrefix } from './format.ts'
import type { NameTree } from './name-tree.ts'
import type { Path } from './path.ts'
import { failure, type Result, success } from './result.ts'

function hasInfiniteWeight(tree: NameTree<Path>): boolean {
  if (tree.kind !== 'alt' && tree.kind !== 'union') return false
  return foldNameTree<Path, boolean>(tree, {
    leaf: () => false,
    mark: () => false,
    alt: parts => parts.includes(true),
    union: (parts, weights) => parts.includes(true) || !weights.every(Number.isFinite),
  })
}

/** The dtab itself, or a `bad-dtab` error that names the first entry with a weight too large to be kept. */
export function checkDtab(dtab: Dtab): Result<Dtab> {
  const index = dtab.findIndex(dentry => hasInfiniteWeight(dentry.dst))
  const dentry = dtab[index]
  if (dentry === undefined) return success(dtab)
  const prefix = formatPrefix(dentry.prefix)
  const message = `entry ${index} (${prefix}) has a weight that is too large to be kept`
  return failure(new NamingError('bad-dtab', message, { detail: { index, prefix } }))
}
