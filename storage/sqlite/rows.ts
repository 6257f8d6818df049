// How versions stand in the table, and back. Shared by the reader and the writer.
import type { NamespaceSummary, Version, VersionMeta, VersionSummary } from '../store.ts'
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
  readonly idempotency_key: string | null
  readonly bytes: number
  readonly text: string | null
}

export type SummaryRow = Omit<VersionRow, 'text' | 'parent' | 'idempotency_key'> & {
  readonly sequence: number
  readonly deleted: number
}

/** A version of the past, without its text. */
export type PastRow = Omit<VersionRow, 'text'> & { readonly deleted: number }

const columns = 'namespace, version, parent, author, verified, message, time, idempotency_key, bytes, text'
const ofHead = columns
  .split(', ')
  .map(column => `v.${column}`)
  .join(', ')

/** By namespace. */
export const selectHead = `SELECT ${ofHead} FROM head h JOIN version v ON v.sequence = h.sequence WHERE h.namespace = ?`
/** By namespace and version. */
export const selectVersion = `SELECT ${columns} FROM version WHERE namespace = ? AND version = ?`
/** By namespace, version below, count; newest first. Reads no text: `typeof` needs the row's header alone. */
export const selectHistory = `SELECT ${columns.replace(', text', '')}, typeof(text) = 'null' AS deleted FROM version WHERE namespace = ? AND version < ? ORDER BY version DESC LIMIT ?`
/** Heads written after a sequence. Reads no text. */
export const selectSummaries = `SELECT v.sequence, v.namespace, v.version, v.author, v.verified, v.message, v.time, v.bytes,
  typeof(v.text) = 'null' AS deleted FROM version v JOIN head h ON h.sequence = v.sequence WHERE v.sequence > ?`
/** By namespace and key. */
export const selectKey = 'SELECT fingerprint, version, time FROM idempotency WHERE namespace = ? AND key = ?'
export const insertVersion = `INSERT INTO version (${columns}) VALUES (@namespace, @version, @parent, @author, @verified,
  @message, @time, @idempotency_key, @bytes, @text)`

export function versionFromRow(row: VersionRow): Version {
  const { namespace, version, text } = row
  return { namespace, version, ...(text !== null && { text }), meta: metaFromRow(row) }
}

export function pastFromRow(row: PastRow): VersionSummary {
  const { namespace, version, bytes } = row
  return { namespace, version, deleted: row.deleted === 1, bytes, meta: metaFromRow(row) }
}

function metaFromRow(row: Omit<VersionRow, 'text'>): VersionMeta {
  const { author, message, time, parent, idempotency_key: key } = row
  return { author, verified: row.verified === 1, message, time, parent, ...(key !== null && { idempotencyKey: key }) }
}

export function rowFromVersion({ namespace, version, text, meta }: Version): VersionRow {
  const { author, verified, message, time, parent, idempotencyKey } = meta
  return {
    namespace,
    version,
    parent,
    author,
    verified: verified ? 1 : 0,
    message,
    time,
    idempotency_key: idempotencyKey ?? null,
    bytes: dtabBytes(text),
    text: text ?? null,
  }
}

export function summaryFromRow(row: SummaryRow): NamespaceSummary {
  const { namespace, version, author, message, time, bytes } = row
  return { namespace, version, deleted: row.deleted === 1, author, verified: row.verified === 1, message, time, bytes }
}
