// How a namespace stands in Consul: its text and its head record at one moment, and whether both were written together. Pure.
import type { KvEntry } from '../../clients/consul/kv.ts'
import type { HeadRecord, HeadSighting } from '../shared/shared-backend.ts'

/** Consul's indexes of the last change of both keys; 0 for one that is not there. */
export interface HeadIndexes {
  readonly text: number
  readonly head: number
}

export function indexesOf(text: KvEntry | undefined, head: KvEntry | undefined): HeadIndexes {
  return { text: text?.modifyIndex ?? 0, head: head?.modifyIndex ?? 0 }
}

/** One transaction gives all its keys one index, so equal indexes are of one write; our tombstones have no text. */
export function isOurs({ text, head }: HeadIndexes, record: HeadRecord | undefined): boolean {
  if (record === undefined) return text === 0 && head === 0
  return record.deleted ? text === 0 : text === head
}

/** `readAfter` is an index of Consul's that was known before the keys were read: a removal leaves none of its own. */
export function sightingOf(
  namespace: string,
  indexes: HeadIndexes,
  record: HeadRecord | undefined,
  readAfter: number,
): HeadSighting {
  const ours = isOurs(indexes, record)
  const newest = Math.max(indexes.text, indexes.head)
  return {
    namespace,
    ...(record !== undefined && { record }),
    isOurs: ours,
    token: `${indexes.text}.${indexes.head}`,
    order: ours && newest > 0 ? newest : Math.max(newest, readAfter),
  }
}

/** Undefined for a token that is not of a sighting made here. */
export function indexesIn(token: string): HeadIndexes | undefined {
  const [, text, head] = /^(\d+)\.(\d+)$/.exec(token) ?? []
  return text === undefined || head === undefined ? undefined : { text: Number(text), head: Number(head) }
}
