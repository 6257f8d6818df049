// What is kept of each version in etcd: its record and its text. Pure.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Operation } from '../../clients/etcd/cluster.ts'
import { headRecordCodec, recordCodec } from '../shared/record-codec.ts'
import type { HeadRecord } from '../shared/shared-backend.ts'
import type { Version } from '../store.ts'
import { dtabBytes } from '../write-rules.ts'
import type { Layout } from './layout.ts'

/** What a record of a version says beside what one of a head does. */
const importMark = recordCodec('a version that was brought in', z.object({ isImport: z.literal(true) }))

export function recordOf({ version, text, meta }: Version): HeadRecord {
  return { version, deleted: text === undefined, bytes: dtabBytes(text), meta }
}

/** The record in bytes that are unlike those of any other write, so that they can be known again. */
export function markedRecord(version: Version): Buffer {
  const marked = { ...recordOf(version), write: randomUUID() }
  return headRecordCodec.encode(marked)
}

/** The record of a version that counts only once a later one has become the head. */
export function importedRecord(version: Version): Buffer {
  const marked = { ...recordOf(version), isImport: true }
  return headRecordCodec.encode(marked)
}

export function isImported(record: Uint8Array): boolean {
  return importMark.read(record) !== undefined
}

/** Writes a version beside the head: its record, and its text when it has one. */
export function archiveOperations(layout: Layout, version: Version, record: Buffer): readonly Operation[] {
  const { namespace, text } = version
  const key = layout.archived(namespace, version.version)
  return [
    { kind: 'put', key: layout.change(namespace, version.version), value: record },
    text === undefined ? { kind: 'delete', key } : { kind: 'put', key, value: Buffer.from(text) },
  ]
}
