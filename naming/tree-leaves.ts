// The leaves of a name tree, in order. Neither depth nor width costs stack.
import type { NameTree } from './name-tree.ts'

/** Calls `visit` for each leaf, left to right; a leaf that stands twice is visited twice. */
export function eachLeaf<L>(tree: NameTree<L>, visit: (leaf: L) => void): void {
  if (tree.kind === 'leaf') {
    visit(tree.value)
    return
  }
  const waiting: NameTree<L>[] = [tree]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node.kind === 'leaf') visit(node.value)
    else if (node.kind === 'alt') for (const child of node.trees.toReversed()) waiting.push(child)
    else if (node.kind === 'union') for (const { tree: child } of node.branches.toReversed()) waiting.push(child)
  }
}
