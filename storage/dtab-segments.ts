// A dtab's text cut into its entries, so that an edit of one entry leaves the others, and their comments, as they were typed.
// For texts that parse; knows nothing of edits.
import { isBlank, isLabelChar } from '../naming/characters.ts'
import type { Dentry, Dtab } from '../naming/dtab.ts'
import { formatDentry } from '../naming/format.ts'

/** One entry as typed: `lead` (blanks and comments), `core` (the entry), `gap`, a semicolon when `isClosed`, and `trail` to the end of the line. */
export interface Segment {
  readonly dentry: Dentry
  readonly lead: string
  readonly core: string
  readonly gap: string
  readonly isClosed: boolean
  readonly trail: string
}

export interface SegmentedDtab {
  readonly segments: readonly Segment[]
  /** Blanks and comments that belong to no entry. */
  readonly rest: string
}

/** A new entry on a line of its own. */
export function segmentFromDentry(dentry: Dentry): Segment {
  return { dentry, lead: '', core: formatDentry(dentry), gap: ' ', isClosed: true, trail: '\n' }
}

/** The same place and comments, another entry. */
export function replaceSegment(segment: Segment, dentry: Dentry): Segment {
  return { ...segment, dentry, core: formatDentry(dentry) }
}

/** `text` must parse to `dtab`; undefined when the two do not go together. */
export function segmentDtab(text: string, dtab: Dtab): SegmentedDtab | undefined {
  const cuts = cutEntries(text)
  if (cuts.entries.length !== dtab.length) return undefined
  const segments = cuts.entries.flatMap((entry, i) => {
    const dentry = dtab[i]
    return dentry === undefined ? [] : [{ dentry, ...entry }]
  })
  return { segments, rest: cuts.rest }
}

/** The text of the segments in their order; every one but the last is closed. */
export function joinSegments({ segments, rest }: SegmentedDtab): string {
  if (segments.length === 0) return rest
  const last = segments.length - 1
  const parts = segments.map((segment, i) => {
    const { lead, core, gap, isClosed, trail } = segment
    if (isClosed) return `${lead}${core}${gap};${trail}`
    if (i === last) return `${lead}${core}${trail}`
    return `${lead}${core} ;${trail}${trail.includes('\n') ? '' : '\n'}`
  })
  return parts.join('') + rest
}

type Entry = Omit<Segment, 'dentry'>

const slash = 0x2f
const star = 0x2a
const backslash = 0x5c

const isPathUnit = (unit: number): boolean => isLabelChar(unit) || unit === slash || unit === star || unit === backslash

function cutEntries(text: string): { readonly entries: readonly Entry[]; readonly rest: string } {
  const entries: Entry[] = []
  let start = 0
  while (start < text.length) {
    const extent = scanEntry(text, start)
    if (extent === undefined) break
    const { from, to, semicolon } = extent
    const end = semicolon === undefined ? text.length : endOfLine(text, semicolon + 1)
    entries.push({
      lead: text.slice(start, from),
      core: text.slice(from, to),
      gap: semicolon === undefined ? '' : text.slice(to, semicolon),
      isClosed: semicolon !== undefined,
      trail: text.slice(semicolon === undefined ? to : semicolon + 1, end),
    })
    start = end
  }
  return { entries, rest: text.slice(start) }
}

/** Where the next entry's own characters begin and end, and its semicolon; undefined when only blanks and comments follow. */
function scanEntry(
  text: string,
  start: number,
): { from: number; to: number; semicolon: number | undefined } | undefined {
  let from: number | undefined
  let to = start
  let at = start
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === ';') break
    if (char === '#') at = endOfComment(text, at)
    else if (isBlank(text.charCodeAt(at))) at++
    else {
      from ??= at
      at = char === '/' ? endOfPath(text, at) : at + 1
      to = at
    }
  }
  if (from === undefined) return undefined
  return { from, to, semicolon: at < text.length ? at : undefined }
}

/** A `#` inside a path is a label character, not a comment. */
function endOfPath(text: string, start: number): number {
  let at = start
  while (at < text.length && isPathUnit(text.charCodeAt(at))) at++
  return at
}

function endOfComment(text: string, start: number): number {
  const newline = text.indexOf('\n', start)
  return newline < 0 ? text.length : newline + 1
}

/** Behind blanks and a comment on the rest of the line; where anything else stands, at once. */
function endOfLine(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charAt(at) !== '\n' && isBlank(text.charCodeAt(at))) at++
  if (at >= text.length) return at
  if (text.charAt(at) === '\n') return at + 1
  return text.charAt(at) === '#' ? endOfComment(text, at) : start
}
