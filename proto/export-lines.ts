// The format of an export: newline-delimited JSON. A header, then one line for each version, namespaces sorted by name and
// each oldest first, then a trailer with counts, so that a file that was cut off is known as such. Knows no store.
import { z } from 'zod'
import { NamingError } from '../naming/errors.ts'
import { failure, type Result, success } from '../naming/result.ts'

/** No line is longer: the largest text of any store, and room for what JSON escapes. */
export const maxExportLineBytes = 64 * 1024 * 1024

/** A version with all its facts; times in ms since 1970; without a text it is a deletion. */
export interface ExportedVersion {
  readonly namespace: string
  readonly version: number
  readonly author: string
  readonly verified: boolean
  readonly message: string
  readonly time: number
  readonly parent: number
  readonly address?: string
  readonly idempotencyKey?: string
  readonly text?: string
}

export interface ExportHeader {
  readonly kind: 'header'
  /** In ms since 1970. */
  readonly exportedAt: number
  /** Where the versions come from, for people. */
  readonly from: string
}

export interface ExportTrailer {
  readonly kind: 'trailer'
  readonly namespaces: number
  readonly versions: number
}

export type ExportLine = ExportHeader | { readonly kind: 'version'; readonly version: ExportedVersion } | ExportTrailer

/** Characters of a text that are encoded in one go. */
const pieceLength = 256 * 1024

const formatName = 'nameplane-export'
const formatVersion = 1

const instant = z.iso
  .datetime()
  .pipe(z.coerce.date())
  .transform(date => date.getTime())
const count = z.int().min(0)
/** Whatever comes on top of it must be a safe integer too. */
const maxVersion = 1_000_000_000_000_000
/** More than any server has ever written, and so little that it goes beside a text into every store. */
const said = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .refine(text => text.isWellFormed(), 'holds half a surrogate pair')

const headerLine = z.strictObject({
  format: z.literal(formatName),
  version: z.literal(formatVersion),
  exportedAt: instant,
  from: z.string(),
})
const versionLine = z.strictObject({
  namespace: z.string().min(1),
  version: z.int().min(1).max(maxVersion),
  author: said(1_024),
  verified: z.boolean(),
  message: said(8_192),
  time: instant,
  parent: count,
  address: said(256).exactOptional(),
  idempotencyKey: said(255).exactOptional(),
  deleted: z.literal(true).exactOptional(),
  text: z.string().exactOptional(),
})
const trailerLine = z.strictObject({ end: z.literal(true), namespaces: count, versions: count })

const line = (value: object): string => `${JSON.stringify(value)}\n`

/** With the newline. */
export function encodeExportHeader({ exportedAt, from }: Omit<ExportHeader, 'kind'>): string {
  return line({ format: formatName, version: formatVersion, exportedAt: timeText(exportedAt), from })
}

/** With the newline. The namespace and the number come first, the text last, so that people see what a line is. */
export function encodeExportedVersion(exported: ExportedVersion): string {
  const { namespace, version, author, verified, message, time, parent, address, idempotencyKey, text } = exported
  return line({
    namespace,
    version,
    author,
    verified,
    message,
    time: timeText(time),
    parent,
    ...(address !== undefined && { address }),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(text === undefined ? { deleted: true } : { text }),
  })
}

/** What encodeExportedVersion makes, in pieces: none takes long to make, however long the text is. */
export function* exportedVersionPieces(exported: ExportedVersion): Generator<string> {
  const { text } = exported
  if (text === undefined || text.length <= pieceLength) {
    yield encodeExportedVersion(exported)
    return
  }
  const around = encodeExportedVersion({ ...exported, text: '' })
  const end = '"}\n'
  yield around.slice(0, -end.length)
  for (let at = 0, next: number; at < text.length; at = next) {
    next = at + pieceLength
    if (isLowSurrogate(text.charCodeAt(next))) next--
    yield JSON.stringify(text.slice(at, next)).slice(1, -1)
  }
  yield end
}

/** A pair that is cut in two would not be what it was. */
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

/** With the newline. */
export function encodeExportTrailer({ namespaces, versions }: Omit<ExportTrailer, 'kind'>): string {
  return line({ end: true, namespaces, versions })
}

/** A line without its newline; bad-request says what is wrong with it. Checks the shape, not the dtab and not the order. */
export function decodeExportLine(text: string): Result<ExportLine> {
  const json = parseJson(text)
  if (typeof json !== 'object' || json === null) return failure(malformed('it is no JSON object'))
  if ('format' in json) return decodeHeader(json)
  if ('end' in json) {
    const trailer = trailerLine.safeParse(json)
    if (!trailer.success) return failure(malformed(problemOf(trailer.error)))
    const { namespaces, versions } = trailer.data
    return success({ kind: 'trailer', namespaces, versions })
  }
  return decodeVersion(json)
}

function decodeHeader(json: object): Result<ExportLine> {
  const header = headerLine.safeParse(json)
  if (!header.success)
    return failure(malformed(`it is no header of ${formatName}, version ${formatVersion}: ${problemOf(header.error)}`))
  const { exportedAt, from } = header.data
  return success({ kind: 'header', exportedAt, from })
}

function decodeVersion(json: object): Result<ExportLine> {
  const parsed = versionLine.safeParse(json)
  if (!parsed.success) return failure(malformed(problemOf(parsed.error)))
  const { deleted, ...version } = parsed.data
  if ((deleted === true) === (version.text !== undefined))
    return failure(malformed('a version has either a text or "deleted": true'))
  return success({ kind: 'version', version })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function problemOf(error: z.ZodError): string {
  const [issue] = error.issues
  const at = issue?.path.join('.') ?? ''
  return `${at === '' ? '' : `${at}: `}${issue?.message ?? 'not valid'}`
}

function malformed(problem: string): NamingError {
  return new NamingError('bad-request', `This is no line of an export: ${problem}.`)
}

function timeText(ms: number): string {
  return new Date(ms).toISOString()
}
