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
  return writeNameTree(tree, spelling)
}

/** `prefix => tree`. */
export function formatDentry(dentry: Dentry): string {
  return `${formatPrefix(dentry.prefix)} => ${formatNameTree(dentry.dst)}`
}

/** Entries joined at once: so their parts die young, which is half of the time of a large dtab. */
const blockSize = 256

/** One dentry per line, each closed by ` ;` so that no `#` or path runs into the separator; empty for an empty dtab. */
export function formatDtab(dtab: Dtab): string {
  const blocks: string[] = []
  for (let start = 0; start < dtab.length; start += blockSize) {
    const lines = dtab.slice(start, start + blockSize).map(dentry => `${formatDentry(dentry)} ;\n`)
    blocks.push(lines.join(''))
  }
  return blocks.join('')
}
