// What a name is bound to: a tree whose leaves are concrete ids that a namer can turn into endpoints.
import type { NameTree } from './name-tree.ts'
import type { Path } from './path.ts'

/** id identifies the cluster (`/#/io.l5d.fs/web`); residual is what is left of the original path. */
export type BoundName = { readonly id: Path; readonly residual: Path }

/** A binding. It holds no alternatives: each was decided when it was bound. */
export type BoundTree = NameTree<BoundName>
