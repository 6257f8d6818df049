// How versions stand in the table, and back. Shared by the reader and the writer.
import { contentHash } from '../../naming/content-hash.ts'
import type { NamespaceSummary, RefusedText, Version, VersionMeta, VersionSummary } from '../store.ts'
import { dtabBytes } from '../write-rules.ts'

/** A row of `version`; booleans are 0 and 1. */
export interface VersionRow {
  readonly namespace: string
  readonly version: number
  readonly parent: number
  readonly author: string
  readonly verified: number
  readonly message: string
  readonly time: number
  readonly address: string | null
  readonly idempotency_key: string | null
  readonly bytes: number
  readonly seal: string | null
  readonly text: string | null
}

/** Which number comes next, and whether a refused text is set aside. */
export interface NextRow {
  readonly highest: number | null
  readonly is_refused: number
}

/** A row in place of a head that went through no server. */
export interface UnsettledRow {
  readonly sequence: number
  /** Absent in a deletion. */
  readonly content: Uint8Array | null
}

export interface RefusedRow {
  readonly namespace: string
  readonly reason: string
  readonly offset: number | null
  readonly line: number | null
  readonly column: number | null
  readonly bytes: number
  readonly since: number
}

export type SummaryRow = Omit<VersionRow, 'text' | 'seal' | 'parent' | 'idempotency_key'> & {
  readonly sequence: number
  readonly deleted: number
}

/** A version of the past, without its text. */
export type PastRow = Omit<VersionRow, 'text' | 'seal'> & { readonly deleted: number }

const columns =
  'namespace, version, parent, author, verified, message, time, address, idempotency_key, bytes, seal, text'
const ofPast = columns.replace(', seal, text', '')
/** Rows that are versions: they have a seal, and their namespace a head. What an import leaves half-way has none. */
const ofHead = 'seal IS NOT NULL AND EXISTS (SELECT 1 FROM head h WHERE h.namespace = v.namespace)'
/**
 * A parameter that is a limit, or that a column must equal which is not the whole of a key. SQLite would plan such a statement
 * by the value of a bare `?`, and so prepare it anew for each call, which costs ten times what it does.
 */
export const aText = 'CAST(? AS TEXT)'
export const aNumber = 'CAST(? AS INTEGER)'

/** A text of more bytes is large: it is read by itself, for who asks may have it already. */
export const largeTextBytes: number = 64 * 1024

const headWith = (
  selected: string,
): string => `SELECT ${selected} FROM version v WHERE namespace = ${aText} AND ${ofHead}
  ORDER BY version DESC LIMIT 1`
/** By namespace: the newest version. */
export const selectHead: string = headWith(columns)
/** As selectHead, without a large text. */
export const selectHeadInBrief: string = headWith(
  `${columns.replace(/, text$/, '')}, CASE WHEN bytes <= ${largeTextBytes} THEN text END AS text`,
)
/** By namespace and version. */
export const selectVersion = `SELECT ${columns} FROM version v WHERE namespace = ${aText} AND version = ${aNumber}
  AND ${ofHead}`
/** By namespace, version below, count; newest first. Reads no text: `typeof` needs the row's header alone. */
export const selectHistory = `SELECT ${ofPast}, typeof(text) = 'null' AS deleted FROM version v
  WHERE namespace = ${aText} AND version < ? AND ${ofHead} ORDER BY version DESC LIMIT ${aNumber}`
const ofSummary = `v.sequence, v.namespace, v.version, v.author, v.verified, v.message, v.time, v.address, v.bytes,
  typeof(v.text) = 'null' AS deleted`
const isHead = 'h.namespace = v.namespace AND h.sequence = v.sequence AND v.seal IS NOT NULL'
/** Every head. Reads no text. */
export const selectSummaries = `SELECT ${ofSummary} FROM head h CROSS JOIN version v ON ${isHead}`
/** The heads that were written after a sequence. Reads no text. */
export const selectSummariesSince = `SELECT ${ofSummary} FROM version v CROSS JOIN head h ON ${isHead} WHERE v.sequence > ?`
/** By namespace: as selectHead. Reads no text. */
export const selectSummary = `SELECT ${ofSummary} FROM version v WHERE v.namespace = ${aText} AND ${ofHead}
  ORDER BY v.version DESC LIMIT 1`
/** By namespace: what stands in place of the head and went through no server; none in nearly every case. */
export const selectUnsettled = `SELECT sequence, CAST(text AS BLOB) AS content FROM version
  WHERE sequence = (SELECT sequence FROM head WHERE namespace = ?) AND seal IS NULL`
/** By namespace: 1 when there is such a row. */
export const selectIsUnsettled = `SELECT seal IS NULL FROM version
  WHERE sequence = (SELECT sequence FROM head WHERE namespace = ?)`
/** By @namespace: what another program's rows and ours leave for the next write to reckon with. */
const ofNext = `(SELECT max(version) FROM version WHERE namespace = CAST(@namespace AS TEXT)
    AND version < ${Number.MAX_SAFE_INTEGER}) AS highest,
  EXISTS (SELECT 1 FROM refused_text WHERE namespace = @namespace) AS is_refused`
export const selectNext = `SELECT ${ofNext}`
/** By @namespace: the row that the head points to, whoever wrote it, and as selectNext. */
export const selectPointed = `SELECT ${columns}, ${ofNext} FROM version
  WHERE sequence = (SELECT sequence FROM head WHERE namespace = @namespace)`
/** By namespace and key. */
export const selectKey = 'SELECT fingerprint, version, time FROM idempotency WHERE namespace = ? AND key = ?'
export const insertVersion = `INSERT INTO version (${columns}) VALUES (@namespace, @version, @parent, @author, @verified,
  @message, @time, @address, @idempotency_key, @bytes, @seal, @text)`

/** What stands beside a text that went through our own hands; a text put there by another program has none, or another's. */
export function sealOf(text: string | Uint8Array | undefined): string {
  return text === undefined ? 'deleted' : contentHash(text)
}

export function versionFromRow(row: VersionRow): Version {
  const { namespace, version, text } = row
  return { namespace, version, ...(text !== null && { text }), meta: metaFromRow(row) }
}

export function pastFromRow(row: PastRow): VersionSummary {
  const { namespace, version, bytes } = row
  return { namespace, version, deleted: row.deleted === 1, bytes, meta: metaFromRow(row) }
}

function metaFromRow(row: Omit<VersionRow, 'text' | 'seal'>): VersionMeta {
  const { author, message, time, parent, idempotency_key: key, address } = row
  return {
    author,
    verified: row.verified === 1,
    message,
    time,
    parent,
    ...(key !== null && { idempotencyKey: key }),
    ...(address !== null && { address }),
  }
}

export function rowFromVersion({ namespace, version, text, meta }: Version): VersionRow {
  const { author, verified, message, time, parent, idempotencyKey, address } = meta
  return {
    namespace,
    version,
    parent,
    author,
    verified: verified ? 1 : 0,
    message,
    time,
    address: address ?? null,
    idempotency_key: idempotencyKey ?? null,
    bytes: dtabBytes(text),
    seal: sealOf(text),
    text: text ?? null,
  }
}

export function summaryFromRow(row: SummaryRow): NamespaceSummary {
  const { namespace, version, author, message, time, address, bytes } = row
  return {
    namespace,
    version,
    deleted: row.deleted === 1,
    author,
    verified: row.verified === 1,
    message,
    time,
    bytes,
    ...(address !== null && { address }),
  }
}

export function refusedFromRow({ namespace, reason, offset, line, column, bytes, since }: RefusedRow): RefusedText {
  const hasPlace = offset !== null && line !== null && column !== null
  return { namespace, reason, ...(hasPlace && { position: { offset, line, column } }), bytes, since }
}
