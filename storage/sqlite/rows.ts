// How versions stand in the table, and back. Shared by the reader and the writer.
import { contentHash } from '../../naming/content-hash.ts'
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
  readonly address: string | null
  readonly bytes: number
  readonly text: string | null
  readonly seal: string | null
}

export type SummaryRow = Omit<VersionRow, 'text' | 'seal' | 'parent' | 'idempotency_key' | 'address'> & {
  readonly sequence: number
  readonly deleted: number
}

/** A version of the past, without its text. */
export type PastRow = Omit<VersionRow, 'text' | 'seal'> & { readonly deleted: number }

const columns =
  'namespace, version, parent, author, verified, message, time, idempotency_key, address, bytes, text, seal'
const ofPast = columns.replace(', text, seal', '')
/** Rows that are versions: they have a seal, and their namespace a head. What an import leaves half-way has none. */
const ofHead = 'seal IS NOT NULL AND EXISTS (SELECT 1 FROM head h WHERE h.namespace = v.namespace)'

/** By namespace: the newest version. */
export const selectHead = `SELECT ${columns} FROM version v WHERE namespace = ? AND ${ofHead} ORDER BY version DESC LIMIT 1`
/** By namespace and version. */
export const selectVersion = `SELECT ${columns} FROM version v WHERE namespace = ? AND version = ? AND ${ofHead}`
/** By namespace, version below, count; newest first. Reads no text: `typeof` needs the row's header alone. */
export const selectHistory = `SELECT ${ofPast}, typeof(text) = 'null' AS deleted FROM version v
  WHERE namespace = ? AND version < ? AND ${ofHead} ORDER BY version DESC LIMIT ?`
/** Heads written after a sequence. Reads no text. */
export const selectSummaries = `SELECT v.sequence, v.namespace, v.version, v.author, v.verified, v.message, v.time, v.bytes,
  typeof(v.text) = 'null' AS deleted FROM version v JOIN head h ON h.sequence = v.sequence WHERE v.sequence > ?`
/** By namespace and key. */
export const selectKey = 'SELECT fingerprint, version, time FROM idempotency WHERE namespace = ? AND key = ?'
export const insertVersion = `INSERT INTO version (${columns}) VALUES (@namespace, @version, @parent, @author, @verified,
  @message, @time, @idempotency_key, @address, @bytes, @text, @seal)`

/** What stands beside a text that went through our own hands; a text put there by another program has none, or another's. */
export function sealOf(text: string | undefined): string {
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
    idempotency_key: idempotencyKey ?? null,
    address: address ?? null,
    bytes: dtabBytes(text),
    text: text ?? null,
    seal: sealOf(text),
  }
}

export function summaryFromRow(row: SummaryRow): NamespaceSummary {
  const { namespace, version, author, message, time, bytes } = row
  return { namespace, version, deleted: row.deleted === 1, author, verified: row.verified === 1, message, time, bytes }
}
