// The content of a snapshot's files: one line that vouches for the rest, then one JSON value. Pure: knows no file system.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { NamingError } from '../../naming/errors.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { NamespaceSummary, Version } from '../store.ts'

/** Files of another format are left alone. */
const snapshotFormat = 1

/** A head as the store had it at `savedAt`, in ms since 1970. */
export interface SavedHead {
  readonly savedAt: number
  readonly head: Version
}

/** The listing as the store had it at `savedAt`, in ms since 1970. */
export interface SavedListing {
  readonly savedAt: number
  readonly namespaces: readonly NamespaceSummary[]
}

const preamble = z.object({ nameplane: z.literal('snapshot'), format: z.number(), sha256: z.string() })

const meta = z.object({
  author: z.string(),
  verified: z.boolean(),
  message: z.string(),
  time: z.number(),
  parent: z.number(),
  idempotencyKey: z.string().exactOptional(),
  address: z.string().exactOptional(),
})

const savedHead = z.object({
  origin: z.string(),
  savedAt: z.number(),
  head: z.object({ namespace: z.string(), version: z.number(), text: z.string(), meta }),
})

const savedListing = z.object({
  origin: z.string(),
  savedAt: z.number(),
  namespaces: z.array(
    z.object({
      namespace: z.string(),
      version: z.number(),
      deleted: z.boolean(),
      author: z.string(),
      verified: z.boolean(),
      message: z.string(),
      time: z.number(),
      bytes: z.number(),
      address: z.string().exactOptional(),
    }),
  ),
})

/** `origin` says which store it is of: see decodeHead. */
export function encodeSnapshot(origin: string, content: SavedHead | SavedListing): string {
  const body = JSON.stringify({ origin, ...content })
  return `${JSON.stringify({ nameplane: 'snapshot', format: snapshotFormat, sha256: digestOf(body) })}\n${body}\n`
}

/** store-corrupt when it is no whole head of this origin. */
export function decodeHead(text: string, origin: string): Result<SavedHead> {
  return decode(text, origin, savedHead)
}

/** store-corrupt when it is no whole listing of this origin. */
export function decodeListing(text: string, origin: string): Result<SavedListing> {
  return decode(text, origin, savedListing)
}

function decode<T extends { readonly origin: string }>(
  text: string,
  origin: string,
  schema: z.ZodType<T>,
): Result<Omit<T, 'origin'>> {
  const end = text.indexOf('\n')
  const first = preamble.safeParse(jsonFrom(text.slice(0, Math.max(0, end))))
  if (!first.success) return broken('it is no snapshot')
  const { format, sha256 } = first.data
  if (format !== snapshotFormat) return broken(`it has format ${format}, and this server reads ${snapshotFormat}`)
  const body = text.slice(end + 1, -1)
  if (!text.endsWith('\n') || digestOf(body) !== sha256) return broken('it is torn, or was changed')
  const content = schema.safeParse(jsonFrom(body))
  if (!content.success) return broken('its content is not what its format says')
  const { origin: savedOrigin, ...saved } = content.data
  return savedOrigin === origin ? success(saved) : broken('it is of a store that is configured otherwise')
}

function broken(why: string): Result<never> {
  return failure(new NamingError('store-corrupt', why))
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // what is no JSON fits no schema
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
