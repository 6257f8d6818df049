// Exact text of prefixes, trees and dtabs: what is hashed, compared, diffed and shown to people. Parsing undoes it.
import type { Dentry, Dtab, Prefix } from './dtab.ts'
import type { NameTree } from './name-tree.ts'
import { type Path, showPath } from './path.ts'
import { showPrefix } from './show.ts'
import { writeNameTree } from './tree-text.ts'
import { formatWeight } from './weight-text.ts'

const spelling = { leaf: showPath, weight: formatWeight }

export function formatPrefix(prefix: Prefix): string {
  return showPrefix(prefix)
}

/** As Finagle shows it, but every weight whole. */
export function formatNameTree(tree: NameTree<Path>): string {
  return tree.kind === 'leaf' ? showPath(tree.value) : writeNameTree(tree, spelling)
}

/** `prefix => tree`. */
export function formatDentry(dentry: Dentry): string {
  return `${formatPrefix(dentry.prefix)} => ${formatNameTree(dentry.dst)}`
}

/** One dentry per line, each closed by ` ;` so that no `#` or path runs into the separator; empty for an empty dtab. */
export function formatDtab(dtab: Dtab): string {
  let text = ''
  for (const dentry of dtab) text += `${formatDentry(dentry)} ;\n`
  return text
}
