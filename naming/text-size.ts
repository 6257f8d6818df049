// How long the text of paths and rules would be, without writing it. For limits, so it may say a little too much.
import type { Dentry } from './dtab.ts'
import type { NameTree } from './name-tree.ts'
import type { Path } from './path.ts'

/** Operator and blanks around one node of a tree. */
const nodeSize = 3

/** One for each label and each of its bytes; 1 for the empty path. */
export function pathSize(path: Path): number {
  let size = path.length === 0 ? 1 : path.length
  for (const label of path) size += label.length
  return size
}

/** The size of a rule's text, or more than `atMost` as soon as that is known. Depth costs no stack. */
export function dentrySize({ prefix, dst }: Dentry, atMost: number): number {
  let size = 0
  for (const elem of prefix) size += 1 + (elem?.length ?? 1)
  const waiting: NameTree<Path>[] = [dst]
  for (let tree = waiting.pop(); tree !== undefined && size <= atMost; tree = waiting.pop()) {
    size += nodeSize + (tree.kind === 'leaf' ? pathSize(tree.value) : 0)
    if (tree.kind === 'alt') for (const child of tree.trees) waiting.push(child)
    else if (tree.kind === 'union') for (const { tree: child } of tree.branches) waiting.push(child)
  }
  return size
}
