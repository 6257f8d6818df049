// What somebody has put where a head should stand, past all servers: an edit to be taken, a deletion, or no dtab at all.
// Judges only; writes nothing and knows no backend.
import { checkDtab } from '../../naming/check-dtab.ts'
import type { NamingError, TextPosition } from '../../naming/errors.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import { createDtabParser } from '../../naming/parse.ts'
import type { Clock } from '../../watch/clock.ts'
import { nextTurn } from '../../watch/pause.ts'
import type { Version } from '../store.ts'
import type { HeadRecord, StoredHead } from './shared-backend.ts'

/** none: all is as we wrote it. edit: a new text, or a deletion when it has none. refused: no dtab. */
export type OutsideEdit =
  | { readonly kind: 'none' }
  | { readonly kind: 'edit'; readonly text?: string }
  | { readonly kind: 'refused'; readonly reason: string; readonly position?: TextPosition; readonly bytes: number }

export interface Judgement {
  readonly clock: Clock
  readonly maxDtabBytes: number
  /** What we wrote last of the namespace, as far as it is known. */
  readonly record: HeadRecord | undefined
}

/** The author of every version that was not written through a server. */
export const externalAuthor = 'external'

/** Terms that one turn parses: some milliseconds. */
const termsPerTurn = 20_000

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Takes several turns for a large text. */
export async function judgeOutsideEdit(stored: StoredHead, judgement: Judgement): Promise<OutsideEdit> {
  const { content, isOurs } = stored
  const { record } = judgement
  if (content === undefined) return record !== undefined && !record.deleted ? { kind: 'edit' } : { kind: 'none' }
  if (isOurs && stored.record !== undefined) return { kind: 'none' }
  return judgeText(stored.namespace, content, judgement)
}

/** The version that an edit from outside becomes, on top of `parent`, at `time` in ms since 1970. */
export function externalVersion(
  edit: { readonly text?: string },
  over: {
    readonly kind: string
    readonly namespace: string
    readonly parent: HeadRecord | undefined
    readonly time: number
  },
): Version {
  const { kind, namespace, parent, time } = over
  const existed = parent !== undefined && !parent.deleted
  const what = edit.text === undefined ? 'deleted' : existed ? 'changed' : 'created'
  const message = `${what} in ${kind}, not through Nameplane`
  return {
    namespace,
    version: (parent?.version ?? 0) + 1,
    ...(edit.text !== undefined && { text: edit.text }),
    meta: { author: externalAuthor, verified: false, message, time, parent: parent?.version ?? 0 },
  }
}

async function judgeText(namespace: string, content: Uint8Array, judgement: Judgement): Promise<OutsideEdit> {
  const bytes = content.byteLength
  const name = parseNamespace(namespace)
  if (!name.ok) return { kind: 'refused', reason: name.error.message, bytes }
  if (bytes > judgement.maxDtabBytes) {
    const reason = `it has ${bytes} bytes; this store holds at most ${judgement.maxDtabBytes}`
    return { kind: 'refused', reason, bytes }
  }
  const text = decodeStrictly(content)
  if (typeof text !== 'string') return { kind: 'refused', reason: 'it is not UTF-8', position: text, bytes }
  const fault = await faultOf(text, judgement.clock)
  if (fault === undefined) return { kind: 'edit', text }
  const { position } = fault.detail
  return { kind: 'refused', reason: fault.message, ...(position !== undefined && { position }), bytes }
}

/** The text, or the place of the first bytes that are not UTF-8. */
function decodeStrictly(content: Uint8Array): string | TextPosition {
  try {
    return strictUtf8.decode(content)
  } catch {
    return placeOfFault(content)
  }
}

/** U+FFFD stands in the lenient text for what could not be decoded, and for itself. */
function placeOfFault(content: Uint8Array): TextPosition {
  const text = lenientUtf8.decode(content)
  let bytes = 0
  let from = 0
  for (let at = text.indexOf('\uFFFD'); at !== -1; at = text.indexOf('\uFFFD', from)) {
    bytes += Buffer.byteLength(text.slice(from, at))
    const isItself = content[bytes] === 0xef && content[bytes + 1] === 0xbf && content[bytes + 2] === 0xbd
    if (!isItself) return positionAt(text, at)
    bytes += 3
    from = at + 1
  }
  return positionAt(text, text.length)
}

function positionAt(text: string, offset: number): TextPosition {
  const before = text.slice(0, offset).split('\n')
  return { offset, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}

async function faultOf(text: string, clock: Clock): Promise<NamingError | undefined> {
  const parser = createDtabParser(text)
  for (;;) {
    const parsed = parser.parse(termsPerTurn)
    if (parsed === 'more') {
      await nextTurn(clock)
      continue
    }
    const checked = parsed.ok ? checkDtab(parsed.value) : parsed
    return checked.ok ? undefined : checked.error
  }
}
