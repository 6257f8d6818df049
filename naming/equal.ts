// Structural equality of trees, dentries and dtabs. Depth costs no stack; equal objects cost nothing.
import type { Dentry, Dtab, Prefix } from './dtab.ts'
import type { NameTree } from './name-tree.ts'
import { type Path, pathEquals } from './path.ts'

interface Pair<L> {
  readonly a: NameTree<L>
  readonly b: NameTree<L>
}

/** Whether two trees have the same shape, weights and leaves, by `leafEquals`. */
export function treeEquals<L>(a: NameTree<L>, b: NameTree<L>, leafEquals: (a: L, b: L) => boolean): boolean {
  if (a.kind === 'leaf' && b.kind === 'leaf') return a === b || leafEquals(a.value, b.value)
  const pending: Pair<L>[] = [{ a, b }]
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    if (pair.a !== pair.b && !nodeEquals(pair.a, pair.b, leafEquals, pending)) return false
  }
  return true
}

/** Compares two nodes and leaves their children in `pending`. */
function nodeEquals<L>(
  a: NameTree<L>,
  b: NameTree<L>,
  leafEquals: (a: L, b: L) => boolean,
  pending: Pair<L>[],
): boolean {
  if (a.kind === 'leaf') return b.kind === 'leaf' && leafEquals(a.value, b.value)
  if (a.kind === 'alt') return b.kind === 'alt' && pairUp(a.trees, b.trees, pending)
  if (a.kind !== 'union') return a.kind === b.kind
  if (b.kind !== 'union' || a.branches.length !== b.branches.length) return false
  if (a.branches.some((branch, index) => branch.weight !== b.branches[index]?.weight)) return false
  const treeOf = (branch: { readonly tree: NameTree<L> }): NameTree<L> => branch.tree
  return pairUp(a.branches.map(treeOf), b.branches.map(treeOf), pending)
}

function pairUp<L>(a: readonly NameTree<L>[], b: readonly NameTree<L>[], pending: Pair<L>[]): boolean {
  if (a.length !== b.length) return false
  for (const [index, child] of a.entries()) {
    const other = b[index]
    if (other === undefined) return false
    pending.push({ a: child, b: other })
  }
  return true
}

export function nameTreeEquals(a: NameTree<Path>, b: NameTree<Path>): boolean {
  return treeEquals(a, b, pathEquals)
}

export function prefixEquals(a: Prefix, b: Prefix): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export function dentryEquals(a: Dentry, b: Dentry): boolean {
  return a === b || (prefixEquals(a.prefix, b.prefix) && nameTreeEquals(a.dst, b.dst))
}

/** Same entries in the same order. */
export function dtabEquals(a: Dtab, b: Dtab): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (const [index, dentry] of a.entries()) {
    const other = b[index]
    if (other === undefined || !dentryEquals(dentry, other)) return false
  }
  return true
}
