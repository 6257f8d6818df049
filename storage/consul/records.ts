// What is ours in Consul's values, and what is said of a key that holds something else.
import { z } from 'zod'
import {
  headRecordCodec,
  headRecordSchema,
  keyRecordCodec,
  type RecordCodec,
  recordCodec,
} from '../shared/record-codec.ts'
import type { HeadRecord } from '../shared/shared-backend.ts'

/** A version without its text. `wasHead` was written with the head; without it, it is one of an import, which may have been cut off. */
export interface VersionRecord extends HeadRecord {
  readonly wasHead?: boolean
}

const version = headRecordSchema.extend({ wasHead: z.boolean().exactOptional() })
const presence = z.object({ id: z.string(), data: z.string() })

export const headRecord = inKeys(headRecordCodec)
export const versionRecord = inKeys<VersionRecord>(recordCodec('the record of a version', version))
export const idempotencyRecord = inKeys(keyRecordCodec)
export const presenceRecord = inKeys(recordCodec('a record of presence', presence))

/** The same, for values that stand under a key. */
function inKeys<T>(codec: RecordCodec<T>): RecordCodec<T> {
  return { ...codec, decode: (bytes, key) => codec.decode(bytes, `Consul's key '${key}'`) }
}
