// Name trees: what a dentry's right side and a binding are made of, over any kind of leaf.

export type Neg = { readonly kind: 'neg' }
export type Fail = { readonly kind: 'fail' }
export type Empty = { readonly kind: 'empty' }
export type Leaf<L> = { readonly kind: 'leaf'; readonly value: L }
export type Alt<L> = { readonly kind: 'alt'; readonly trees: readonly NameTree<L>[] }
export type Union<L> = { readonly kind: 'union'; readonly branches: readonly Weighted<L>[] }

/** One branch of a union; weight is finite or +Infinity and not negative. */
export type Weighted<L> = { readonly weight: number; readonly tree: NameTree<L> }

/** neg: no such name. fail: refuse, stop looking. empty: exists, nothing there. alt: first that is not neg. union: split by weight. */
export type NameTree<L> = Neg | Fail | Empty | Leaf<L> | Alt<L> | Union<L>

export const neg: Neg = { kind: 'neg' }
export const fail: Fail = { kind: 'fail' }
export const empty: Empty = { kind: 'empty' }

export function leaf<L>(value: L): Leaf<L> {
  return { kind: 'leaf', value }
}

export function alt<L>(trees: readonly NameTree<L>[]): Alt<L> {
  return { kind: 'alt', trees }
}

export function union<L>(branches: readonly Weighted<L>[]): Union<L> {
  return { kind: 'union', branches }
}
