// What servers that share a backend write there beside the texts, as JSON that people can read. Knows no backend.
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import type { KeyRecord } from '../write-rules.ts'
import type { HeadRecord } from './shared-backend.ts'

/** Unknown keys are passed over, so that a newer server may add some. */
export interface RecordCodec<T> {
  encode(value: T): Buffer
  /** Undefined when the bytes are no such record. */
  read(bytes: Uint8Array): T | undefined
  /** Throws store-corrupt, naming where it stands. */
  decode(bytes: Uint8Array, where: string): T
}

/** `what` is for people, such as "the record of a version". */
export function recordCodec<T>(what: string, schema: z.ZodType<T>): RecordCodec<T> {
  return {
    read: bytes => schema.safeParse(parseJson(bytes)).data,
    encode: value => Buffer.from(JSON.stringify(value)),
    decode: (bytes, where) => {
      const parsed = schema.safeParse(parseJson(bytes))
      if (parsed.success) return parsed.data
      throw new NamingError('store-corrupt', `${where} holds no longer ${what}.`, { cause: parsed.error })
    },
  }
}

const meta = z.object({
  author: z.string(),
  verified: z.boolean(),
  message: z.string(),
  time: z.number(),
  parent: z.int().min(0),
  idempotencyKey: z.string().exactOptional(),
  address: z.string().exactOptional(),
})

/** Of a head, and of a version without its text. */
export const headRecordSchema = z.object({
  version: z.int().min(1),
  deleted: z.boolean(),
  bytes: z.int().min(0),
  meta,
})

export const headRecordCodec: RecordCodec<HeadRecord> = recordCodec('the record of a version', headRecordSchema)

export const keyRecordCodec: RecordCodec<KeyRecord> = recordCodec(
  'the record of an Idempotency-Key',
  z.object({ fingerprint: z.string(), version: z.int().min(1), time: z.number() }),
)

/** UTF-8, a byte order mark included. */
export function textFromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/** Undefined when it is none, which no schema takes. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(textFromBytes(bytes))
  } catch {
    return undefined
  }
}
