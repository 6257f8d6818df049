// Delegation tables: ordered rules from a prefix to a name tree. Order and duplicates are kept; later entries win.
import type { NameTree } from './name-tree.ts'
import type { Path } from './path.ts'

/** A prefix element: a label, or null for `*`, which matches exactly one label. */
export type PrefixElem = string | null

export type Prefix = readonly PrefixElem[]

export type Dentry = { readonly prefix: Prefix; readonly dst: NameTree<Path> }

export type Dtab = readonly Dentry[]

export const emptyDtab: Dtab = []

/** Whether every element of the prefix stands, or is matched by `*`, at the head of the path. */
export function prefixMatches(prefix: Prefix, path: Path): boolean {
  if (prefix.length > path.length) return false
  for (let i = 0; i < prefix.length; i++) {
    const elem = prefix[i]
    if (elem !== null && elem !== path[i]) return false
  }
  return true
}
