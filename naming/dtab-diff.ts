// What differs between two dtabs: for machines, the paths that may look up differently; for people, lines.

import type { Dentry, Dtab } from './dtab.ts'
import { alignDtabs } from './dtab-alignment.ts'
import { formatDentry } from './format.ts'
import type { Path } from './path.ts'
import { collectMatches, type Ranked, TrieEditor } from './prefix-trie.ts'

/** A set of paths, described by the prefixes that they match. */
export interface PrefixSet {
  /** No path is in it. */
  readonly isEmpty: boolean
  matches(path: Path): boolean
}

/** With more changed entries than this, telling paths apart costs more than looking them up again. */
const mostPrefixes = 20_000

const allPaths: PrefixSet = { isEmpty: false, matches: () => true }

/**
 * The paths whose `lookup` may differ between two dtabs. Never leaves one out; an entry that only moved counts as changed,
 * and after a change of very many entries every path is in it.
 */
export function changedPrefixes(before: Dtab, after: Dtab): PrefixSet {
  const { removed, added } = alignDtabs(before, after)
  if (removed.length + added.length > mostPrefixes) return allPaths
  const editor = new TrieEditor<Ranked>()
  const changed = [...removed.map(index => before[index]), ...added.map(index => after[index])]
  for (const [order, dentry] of changed.entries())
    if (dentry !== undefined) editor.add({ prefix: dentry.prefix, order })
  const { root } = editor
  const scratch: Ranked[] = []
  return { isEmpty: changed.length === 0, matches: path => collectMatches(root, path, scratch) > 0 }
}

/** One entry of a diff; `removed` ones come from the earlier dtab. */
export interface DtabDiffLine {
  readonly change: 'kept' | 'added' | 'removed'
  readonly dentry: Dentry
}

/** Every entry of both dtabs in order; where both changed, what was removed comes first. */
export function diffDtabs(before: Dtab, after: Dtab): readonly DtabDiffLine[] {
  const alignment = alignDtabs(before, after)
  const removed = new Set(alignment.removed)
  const added = new Set(alignment.added)
  const lines: DtabDiffLine[] = []
  let at = 0
  for (const [index, dentry] of before.entries()) {
    if (removed.has(index)) {
      lines.push({ change: 'removed', dentry })
      continue
    }
    at = pushAdded(lines, after, at, added)
    lines.push({ change: 'kept', dentry })
    at++
  }
  pushAdded(lines, after, at, added)
  return lines
}

/** Pushes the run of added entries at `start`; gives the index after it. */
function pushAdded(lines: DtabDiffLine[], after: Dtab, start: number, added: ReadonlySet<number>): number {
  let at = start
  for (; added.has(at); at++) {
    const dentry = after[at]
    if (dentry !== undefined) lines.push({ change: 'added', dentry })
  }
  return at
}

const diffMarks = { kept: ' ', added: '+', removed: '-' } as const

/** The diff as text, one entry a line, each with `+`, `-` or a blank before it; kept entries are left out on request. */
export function formatDtabDiff(
  lines: readonly DtabDiffLine[],
  options: { readonly changesOnly?: boolean } = {},
): string {
  const shown = options.changesOnly === true ? lines.filter(line => line.change !== 'kept') : lines
  return shown.map(({ change, dentry }) => `${diffMarks[change]} ${formatDentry(dentry)} ;\n`).join('')
}
