// Finagle's text of prefixes, trees and dtabs: for `/api/1` and whoever compares with namerd. Weights lose digits here.
import type { Dentry, Dtab, Prefix } from './dtab.ts'
import type { NameTree } from './name-tree.ts'
import { type Path, showLabel, showPath } from './path.ts'
import { writeNameTree } from './tree-text.ts'
import { showWeight } from './weight-text.ts'

const spelling = { leaf: showPath, weight: showWeight }

export function showPrefix(prefix: Prefix): string {
  if (prefix.length === 0) return '/'
  let shown = ''
  for (const elem of prefix) shown += `/${elem === null ? '*' : showLabel(elem)}`
  return shown
}

/** `a | b & 0.30*c`: weights with two decimals, 1 left out. */
export function showNameTree(tree: NameTree<Path>): string {
  return writeNameTree(tree, spelling)
}

/** `prefix=>tree`. */
export function showDentry(dentry: Dentry): string {
  return `${showPrefix(dentry.prefix)}=>${showNameTree(dentry.dst)}`
}

/** The entries joined by `;`, on one line, empty for an empty dtab. */
export function showDtab(dtab: Dtab): string {
  return dtab.map(showDentry).join(';')
}
