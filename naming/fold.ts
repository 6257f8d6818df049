// Bottom-up walks over name trees of any depth, without recursion. Knows nothing of what the leaves are.
import type { NameTree } from './name-tree.ts'

/** What a fold makes of each kind of node; children come before their parents, left to right. */
export interface Fold<L, R> {
  readonly leaf: (value: L) => R
  /** neg, fail or empty. */
  readonly mark: (kind: 'neg' | 'fail' | 'empty') => R
  readonly alt: (parts: readonly R[]) => R
  readonly union: (parts: readonly R[], weights: readonly number[]) => R
}

interface Frame<L, R> {
  readonly children: readonly NameTree<L>[]
  readonly done: R[]
  /** Absent for an alternative. */
  readonly weights?: readonly number[]
}

function openNode<L, R>(tree: NameTree<L>): Frame<L, R> | undefined {
  if (tree.kind === 'alt') return { children: tree.trees, done: [] }
  if (tree.kind !== 'union') return undefined
  return {
    children: tree.branches.map(branch => branch.tree),
    done: [],
    weights: tree.branches.map(branch => branch.weight),
  }
}

function foldMark<L, R>(tree: NameTree<L>, fold: Fold<L, R>): R {
  switch (tree.kind) {
    case 'leaf':
      return fold.leaf(tree.value)
    case 'alt':
      return fold.alt([])
    case 'union':
      return fold.union([], [])
    default:
      return fold.mark(tree.kind)
  }
}

/** The value that `fold` gives to the root. */
export function foldNameTree<L, R>(root: NameTree<L>, fold: Fold<L, R>): R {
  const outer: Frame<L, R>[] = []
  let frame = openNode<L, R>(root)
  if (frame === undefined) return foldMark(root, fold)
  for (;;) {
    const child: NameTree<L> | undefined = frame.children[frame.done.length]
    if (child !== undefined) {
      const inner: Frame<L, R> | undefined = openNode(child)
      if (inner === undefined) {
        frame.done.push(foldMark(child, fold))
      } else {
        outer.push(frame)
        frame = inner
      }
      continue
    }
    const value: R = frame.weights === undefined ? fold.alt(frame.done) : fold.union(frame.done, frame.weights)
    const parent = outer.pop()
    if (parent === undefined) return value
    parent.done.push(value)
    frame = parent
  }
}
