// Edits of single entries, so that two teams change one dtab without colliding. Pure: text in, text out.
import { checkDtab } from '../naming/check-dtab.ts'
import type { Dentry, Dtab, Prefix } from '../naming/dtab.ts'
import { dtabEquals } from '../naming/equal.ts'
import { NamingError } from '../naming/errors.ts'
import { formatDtab, formatPrefix } from '../naming/format.ts'
import { parseDtab, parseNameTree, parsePrefix } from '../naming/parse.ts'
import { failure, type Result, success } from '../naming/result.ts'
import { DtabEntries, type EntryPlace } from './dtab-entries.ts'
import { joinSegments, replaceSegment, type Segment, segmentDtab, segmentFromDentry } from './dtab-segments.ts'

/**
 * `set` replaces the entry with that prefix, or appends one. `insert` adds before or after the entry that the anchor
 * names, or at the end. `remove` takes one away. `index` is the 0-based occurrence of the prefix looked for (the
 * anchor's for `insert`), needed when it stands there more than once.
 */
export type DtabEdit =
  | { readonly op: 'set'; readonly prefix: string; readonly dst: string; readonly index?: number }
  | {
      readonly op: 'insert'
      readonly prefix: string
      readonly dst: string
      readonly before?: string
      readonly after?: string
      readonly index?: number
    }
  | { readonly op: 'remove'; readonly prefix: string; readonly index?: number }

export interface EditedDtab {
  readonly dtab: Dtab
  readonly text: string
}

/**
 * In order, all or none. Errors: bad-prefix, bad-tree, bad-dtab (a weight too large), bad-request (two anchors),
 * edit-conflict (what an edit looks for is not there, or is there more than once). `detail.op` is the edit's index.
 */
export function applyEdits(dtab: Dtab, edits: readonly DtabEdit[]): Result<Dtab> {
  const edited = editSegments(dtab.map(segmentFromDentry), edits)
  return edited.ok ? success(edited.value.map(segment => segment.dentry)) : edited
}

/**
 * As `applyEdits`, on text: entries that no edit names keep their text and comments. A removed entry takes the comments
 * directly above it and behind it on its line along. Errors also: those of `parseDtab`.
 */
export function editDtabText(text: string, edits: readonly DtabEdit[]): Result<EditedDtab> {
  const parsed = parseDtab(text)
  if (!parsed.ok) return parsed
  const cut = segmentDtab(text, parsed.value) ?? { segments: parsed.value.map(segmentFromDentry), rest: '' }
  const edited = editSegments(cut.segments, edits)
  if (!edited.ok) return edited
  const checked = checkDtab(edited.value.map(segment => segment.dentry))
  if (!checked.ok) return checked
  const dtab = checked.value
  const head = cut.segments.length === 0 ? closedLine(cut.rest) : ''
  const rest = cut.segments.length === 0 && dtab.length > 0 ? '' : cut.rest
  const joined = (dtab.length > 0 ? head : '') + joinSegments({ segments: edited.value, rest })
  return success({ dtab, text: saysThe(dtab, joined) ? joined : formatDtab(dtab) })
}

function closedLine(blanks: string): string {
  return blanks === '' || blanks.endsWith('\n') ? blanks : `${blanks}\n`
}

function saysThe(dtab: Dtab, text: string): boolean {
  const parsed = parseDtab(text)
  return parsed.ok && dtabEquals(parsed.value, dtab)
}

function editSegments(segments: readonly Segment[], edits: readonly DtabEdit[]): Result<readonly Segment[]> {
  const entries = new DtabEntries(segments)
  for (const [op, edit] of edits.entries()) {
    const refusal = applyOne(entries, edit)
    if (refusal === undefined) continue
    const { code, message, detail } = refusal
    return failure(
      new NamingError(code, `edit ${op} (${edit.op} ${edit.prefix}): ${message}`, { detail: { ...detail, op } }),
    )
  }
  return success(entries.toArray())
}

function applyOne(entries: DtabEntries, edit: DtabEdit): NamingError | undefined {
  const prefix = parsePrefix(edit.prefix)
  if (!prefix.ok) return prefix.error
  if (edit.op === 'remove') return removeEntry(entries, prefix.value, edit.index)
  const dentry = parseEntry(prefix.value, edit.dst)
  if (!dentry.ok) return dentry.error
  return edit.op === 'set' ? setEntry(entries, dentry.value, edit.index) : insertEntry(entries, dentry.value, edit)
}

function parseEntry(prefix: Prefix, dst: string): Result<Dentry> {
  const tree = parseNameTree(dst)
  if (!tree.ok) return tree
  const dentry = { prefix, dst: tree.value }
  const checked = checkDtab([dentry])
  return checked.ok ? success(dentry) : checked
}

function removeEntry(entries: DtabEntries, prefix: Prefix, index: number | undefined): NamingError | undefined {
  const place = findEntry(entries, prefix, index)
  if (!place.ok) return place.error
  entries.remove(place.value)
  return undefined
}

function setEntry(entries: DtabEntries, dentry: Dentry, index: number | undefined): NamingError | undefined {
  if (index === undefined && entries.find(dentry.prefix).length === 0) {
    entries.append(segmentFromDentry(dentry))
    return undefined
  }
  const place = findEntry(entries, dentry.prefix, index)
  if (!place.ok) return place.error
  entries.replace(place.value, replaceSegment(place.value.segment, dentry))
  return undefined
}

function insertEntry(
  entries: DtabEntries,
  dentry: Dentry,
  { before, after, index }: { readonly before?: string; readonly after?: string; readonly index?: number },
): NamingError | undefined {
  if (before !== undefined && after !== undefined)
    return new NamingError('bad-request', 'give `before` or `after`, not both')
  const anchorText = before ?? after
  if (anchorText === undefined) {
    entries.append(segmentFromDentry(dentry))
    return undefined
  }
  const anchor = parsePrefix(anchorText)
  if (!anchor.ok) return anchor.error
  const place = findEntry(entries, anchor.value, index)
  if (!place.ok) return place.error
  if (before === undefined) entries.insertAfter(place.value, segmentFromDentry(dentry))
  else entries.insertBefore(place.value, segmentFromDentry(dentry))
  return undefined
}

function findEntry(entries: DtabEntries, prefix: Prefix, index: number | undefined): Result<EntryPlace> {
  const found = entries.find(prefix)
  const place = index === undefined && found.length > 1 ? undefined : found[index ?? 0]
  return place === undefined ? failure(notFound(prefix, found.length, index)) : success(place)
}

function notFound(prefix: Prefix, count: number, index: number | undefined): NamingError {
  const shown = formatPrefix(prefix)
  const detail = { prefix: shown, occurrences: count }
  if (count === 0) return new NamingError('edit-conflict', `there is no entry with the prefix ${shown}`, { detail })
  if (index === undefined)
    return new NamingError('edit-conflict', `${count} entries have the prefix ${shown}: say which with \`index\``, {
      detail,
    })
  return new NamingError('edit-conflict', `the prefix ${shown} occurs ${count} times: there is no index ${index}`, {
    detail,
  })
}
