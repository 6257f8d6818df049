// What a name is bound to: a tree whose leaves are concrete ids that a namer can turn into endpoints.
import { treeEquals } from './equal.ts'
import type { NameTree } from './name-tree.ts'
import { type Path, pathEquals, showPath } from './path.ts'
import { writeNameTree } from './tree-text.ts'
import { formatWeight } from './weight-text.ts'

/** id identifies the cluster (`/#/io.l5d.fs/web`); residual is what is left of the original path. */
export type BoundName = { readonly id: Path; readonly residual: Path }

/** A binding. It holds no alternatives: each was decided when it was bound. */
export type BoundTree = NameTree<BoundName>

export function boundNameEquals(a: BoundName, b: BoundName): boolean {
  return a === b || (pathEquals(a.id, b.id) && pathEquals(a.residual, b.residual))
}

/** Same ids, residuals, weights and shape. Depth costs no stack. */
export function boundTreeEquals(a: BoundTree, b: BoundTree): boolean {
  return treeEquals(a, b, boundNameEquals)
}

/** A comma cannot stand in a path, so id and residual never run together. */
function formatBoundName(name: BoundName): string {
  return name.residual.length === 0 ? showPath(name.id) : `${showPath(name.id)},${showPath(name.residual)}`
}

/** Canonical text of a binding, the input of its content hash: equal trees, equal text; weights are exact. */
export function formatBoundTree(tree: BoundTree): string {
  return writeNameTree(tree, { leaf: formatBoundName, weight: formatWeight })
}
