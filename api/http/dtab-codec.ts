// The jobs on dtabs that may be large: checking a body, printing a stored text. Pure, and plain data in and out, so that
// they run in this thread or in a worker alike.

import { diffDtabs } from '../../naming/dtab-diff.ts'
import { dtabHash } from '../../naming/dtab-hash.ts'
import { dtabToJson, showDtabJson } from '../../naming/dtab-json.ts'
import type { ErrorCode, ErrorDetail, NamingError } from '../../naming/errors.ts'
import { parseDtab } from '../../naming/parse.ts'
import { showDtab } from '../../naming/show.ts'
import { diffTexts } from '../../storage/conflict.ts'
import { type DtabEdit, editDtabText } from '../../storage/dtab-edit.ts'
import { decodeDtabBody } from './dtab-body.ts'
import { readImportLine } from './import-line.ts'
import { readPatch } from './patch-body.ts'

/** How a dtab is printed: exact JSON, or namerd's JSON or text. */
export type Printing = 'json' | 'shown-json' | 'shown-text'

/** decode: a body to the text to store. edits: the body of a PATCH to its edits as JSON. print: a stored text to what clients read. diff: the changes between two stored texts.
 * edit: a stored text with single entries changed. import-line: a line of an import, checked against a store's limit. */
export type CodecJob =
  | { readonly kind: 'decode'; readonly bytes: Uint8Array; readonly mediaType: string; readonly namespace: string }
  | { readonly kind: 'edits'; readonly bytes: Uint8Array }
  | { readonly kind: 'print'; readonly text: string; readonly as: Printing }
  | { readonly kind: 'diff'; readonly from: string; readonly to: string; readonly as: 'json' | 'lines' }
  | { readonly kind: 'edit'; readonly text: string; readonly edits: readonly DtabEdit[] }
  | { readonly kind: 'import-line'; readonly bytes: Uint8Array; readonly maxDtabBytes: number }

/** The text, and what was printed also with the hash of what it means; `about` is JSON of what belongs to the text. Errors travel as plain data: a class does not survive the way between threads. */
export type CodecAnswer =
  | { readonly ok: true; readonly text: string; readonly hash: string; readonly about?: string }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string; readonly detail: ErrorDetail }

/** Does a job here and now, whatever its size. */
export function runCodecJob(job: CodecJob): CodecAnswer {
  if (job.kind === 'decode') return decode(job)
  if (job.kind === 'edits') return decodeEdits(job.bytes)
  if (job.kind === 'print') return print(job.text, job.as)
  if (job.kind === 'diff') return job.as === 'json' ? diff(job.from, job.to) : diffLines(job.from, job.to)
  if (job.kind === 'import-line') return importLine(job.bytes, job.maxDtabBytes)
  const edited = editDtabText(job.text, job.edits)
  return edited.ok ? { ok: true, text: edited.value.text, hash: '' } : refusal(edited.error)
}

function decode(job: CodecJob & { readonly kind: 'decode' }): CodecAnswer {
  const decoded = decodeDtabBody(job)
  return decoded.ok ? { ok: true, text: decoded.value.text, hash: '' } : refusal(decoded.error)
}

function decodeEdits(bytes: Uint8Array): CodecAnswer {
  const edits = readPatch(bytes)
  return edits.ok ? { ok: true, text: JSON.stringify(edits.value), hash: '' } : refusal(edits.error)
}

function print(text: string, as: Printing): CodecAnswer {
  const parsed = parseDtab(text)
  if (!parsed.ok) return refusal(parsed.error)
  const dtab = parsed.value
  const hash = dtabHash(dtab)
  if (as === 'shown-text') return { ok: true, text: showDtab(dtab), hash }
  return { ok: true, text: JSON.stringify(as === 'json' ? dtabToJson(dtab) : showDtabJson(dtab)), hash }
}

/** Only what one side has, as a JSON array; `index` is the place on that side. */
function diff(from: string, to: string): CodecAnswer {
  const before = parseDtab(from)
  const after = before.ok ? parseDtab(to) : before
  if (!before.ok) return refusal(before.error)
  if (!after.ok) return refusal(after.error)
  const changes: object[] = []
  const at = { removed: 0, added: 0 }
  for (const { change, dentry } of diffDtabs(before.value, after.value)) {
    if (change !== 'kept') changes.push({ change, index: at[change], ...dtabToJson([dentry])[0] })
    if (change !== 'added') at.removed++
    if (change !== 'removed') at.added++
  }
  return { ok: true, text: JSON.stringify(changes), hash: dtabHash(after.value) }
}

function diffLines(from: string, to: string): CodecAnswer {
  const lines = diffTexts(from, to)
  return lines.ok ? { ok: true, text: lines.value, hash: '' } : refusal(lines.error)
}

/** The text apart from the rest, so that whoever receives it parses no large JSON. A refusal goes without the text, which nobody needs. */
function importLine(bytes: Uint8Array, maxDtabBytes: number): CodecAnswer {
  const read = readImportLine(bytes, maxDtabBytes)
  if (!read.ok) return refusal(read.error)
  const { line, refusal: refused } = read.value
  if (line.kind !== 'version') return { ok: true, text: '', hash: '', about: JSON.stringify({ line }) }
  const { text, ...version } = line.version
  const about = { line: { kind: 'version', version }, hasText: text !== undefined && refused === undefined }
  const why = refused && { code: refused.code, message: refused.message, detail: refused.detail }
  return { ok: true, text: about.hasText ? (text ?? '') : '', hash: '', about: JSON.stringify({ ...about, why }) }
}

/** An error as the plain data of an answer. */
export function refusal({ code, message, detail }: NamingError): CodecAnswer {
  return { ok: false, code, message, detail }
}
