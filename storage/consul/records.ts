// How what is ours stands in Consul's values: as JSON that people can read. Knows no keys.
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import type { HeadRecord } from '../shared/shared-backend.ts'
import type { KeyRecord } from '../write-rules.ts'

const meta = z.object({
  author: z.string(),
  verified: z.boolean(),
  message: z.string(),
  time: z.number(),
  parent: z.int().min(0),
  idempotencyKey: z.string().exactOptional(),
  address: z.string().exactOptional(),
})

const record = z.object({
  version: z.int().min(1),
  deleted: z.boolean(),
  bytes: z.int().min(0),
  meta,
})

const version = record.extend({ wasHead: z.boolean().exactOptional() })
const keyRecord = z.object({ fingerprint: z.string(), version: z.int().min(1), time: z.number() })
const presence = z.object({ id: z.string(), data: z.string() })

/** A version without its text. `wasHead` was written with the head; without it, it is one of an import, which may have been cut off. */
export interface VersionRecord extends HeadRecord {
  readonly wasHead?: boolean
}

export const headRecord = codecOf<HeadRecord>('the record of a head', record)
export const versionRecord = codecOf<VersionRecord>('the record of a version', version)
export const idempotencyRecord = codecOf<KeyRecord>('the record of an Idempotency-Key', keyRecord)
export const presenceRecord = codecOf<{ readonly id: string; readonly data: string }>('a record of presence', presence)

interface Codec<T> {
  encode(value: T): Uint8Array
  /** Throws store-corrupt, naming the key. */
  decode(bytes: Uint8Array, key: string): T
}

function codecOf<T>(what: string, schema: z.ZodType<T>): Codec<T> {
  return {
    encode: value => Buffer.from(JSON.stringify(value)),
    decode: (bytes, key) => {
      const json = parseJson(bytes)
      const parsed = schema.safeParse(json)
      if (parsed.success) return parsed.data
      throw new NamingError('store-corrupt', `Consul's key '${key}' holds no longer ${what}.`, { cause: parsed.error })
    },
  }
}

/** Undefined when it is none, which no schema takes. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(bytes))
  } catch {
    return undefined
  }
}

/** UTF-8, a byte order mark included. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
