// Taking out of trees and dtabs what can never be chosen, exactly as Finagle does: no merging, no flattening.
import type { Dtab } from './dtab.ts'
import { foldNameTree } from './fold.ts'
import { alt, empty, fail, leaf, type NameTree, neg, union, type Weighted } from './name-tree.ts'

const marks = { neg, fail, empty } as const

/** The tree without negs, without what follows a fail in an alternative, and without fails in unions. */
export function simplifyNameTree<L>(tree: NameTree<L>): NameTree<L> {
  return foldNameTree<L, NameTree<L>>(tree, {
    leaf: value => leaf(value),
    mark: kind => marks[kind],
    alt: simplifyAlt,
    union: simplifyUnion,
  })
}

function simplifyAlt<L>(parts: readonly NameTree<L>[]): NameTree<L> {
  const kept: NameTree<L>[] = []
  for (const part of parts) {
    if (part.kind === 'neg') continue
    kept.push(part)
    if (part.kind === 'fail') break
  }
  const [first] = kept
  if (first === undefined) return neg
  return kept.length === 1 ? first : alt(kept)
}

function simplifyUnion<L>(parts: readonly NameTree<L>[], weights: readonly number[]): NameTree<L> {
  const [lone] = parts
  if (lone !== undefined && parts.length === 1) return lone
  const kept: Weighted<L>[] = []
  for (const [index, tree] of parts.entries()) {
    if (tree.kind !== 'neg' && tree.kind !== 'fail') kept.push({ weight: weights[index] ?? 1, tree })
  }
  const [first] = kept
  if (first === undefined) return neg
  return kept.length === 1 ? first.tree : union(kept)
}

/** Every right side simplified; entries whose right side is neg then are left out. */
export function simplifyDtab(dtab: Dtab): Dtab {
  return dtab.map(({ prefix, dst }) => ({ prefix, dst: simplifyNameTree(dst) })).filter(({ dst }) => dst.kind !== 'neg')
}
