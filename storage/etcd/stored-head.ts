// How a namespace stands in etcd: its text's and its record's last writes, and what follows from the two. Pure.
import { hash } from 'node:crypto'
import type { EtcdEntry } from '../../clients/etcd/cluster.ts'
import { headRecordCodec } from '../shared/record-codec.ts'
import type { HeadRecord, HeadSighting } from '../shared/shared-backend.ts'

/** The two keys of a namespace; a revision is 0 where there is none. */
export interface KeysOfHead {
  readonly textRevision: number
  readonly headRevision: number
  /** Absent too when somebody has made something else of it. */
  readonly record?: HeadRecord
  /** Tells records apart that two histories of one cluster have put at the same revision. */
  readonly digest: string
}

export const nothing: KeysOfHead = { textRevision: 0, headRevision: 0, digest: '' }

export function withText(keys: KeysOfHead, text: EtcdEntry | undefined): KeysOfHead {
  return { ...keys, textRevision: text?.modRevision ?? 0 }
}

export function withRecord({ textRevision }: KeysOfHead, head: EtcdEntry | undefined): KeysOfHead {
  if (head === undefined) return { ...nothing, textRevision }
  const { value, modRevision: headRevision } = head
  const record = headRecordCodec.read(value)
  return { textRevision, headRevision, digest: digestOf(value), ...(record && { record }) }
}

/** `order`: the revision that it was seen at. */
export function sightingFromKeys(namespace: string, keys: KeysOfHead, order: number): HeadSighting {
  const { textRevision, headRevision, record, digest } = keys
  const token = `${textRevision}.${headRevision}.${digest}`
  return { namespace, isOurs: isOurs(keys), token, order, ...(record && { record }) }
}

/** What a commit over this sighting compares with; undefined for a sighting that was not made here. */
export function revisionsFromToken(token: string): { readonly text: number; readonly head: number } | undefined {
  const [, text, head] = /^(\d+)\.(\d+)\./.exec(token) ?? []
  return text === undefined || head === undefined ? undefined : { text: Number(text), head: Number(head) }
}

export function digestOf(record: Uint8Array): string {
  return hash('sha256', record, 'base64url').slice(0, 12)
}

/** One transaction gives all that it writes the same revision; a tombstone has no text. */
function isOurs({ textRevision, headRevision, record }: KeysOfHead): boolean {
  if (textRevision !== 0) return textRevision === headRevision && record !== undefined
  return headRevision === 0 || record?.deleted === true
}
