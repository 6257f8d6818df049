// A dtab as it comes in a body, to the text that is stored. Pure, so that it also runs in a worker for large bodies.
import { checkDtab } from '../../naming/check-dtab.ts'
import type { Dtab } from '../../naming/dtab.ts'
import { dtabFromJson } from '../../naming/dtab-json.ts'
import { NamingError } from '../../naming/errors.ts'
import { formatDtab } from '../../naming/format.ts'
import { parseDtab } from '../../naming/parse.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import { readJson } from './json-reader.ts'
import { jsonType } from './media-type.ts'

export interface DtabBody {
  readonly bytes: Uint8Array
  /** Lower-case, without parameters; anything but JSON is dtab text. */
  readonly mediaType: string
  /** What `namespace` in a JSON object must be. */
  readonly namespace: string
}

/** A body that parses: the text to store and what it means. Text is kept as it was sent, JSON becomes the exact text. */
export interface DecodedDtab {
  readonly text: string
  readonly dtab: Dtab
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The body as text, or `code` when it is not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, code: 'bad-dtab' | 'bad-request'): Result<string> {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    const position = { offset: 0, line: 1, column: 1 }
    const message = 'The body begins with a byte order mark. Send UTF-8 without one.'
    return failure(new NamingError(code, message, { detail: { position } }))
  }
  try {
    return success(strictUtf8.decode(bytes))
  } catch {
    return failure(new NamingError(code, 'The body is not UTF-8.', { detail: { at: 'body' } }))
  }
}

/** Checks everything that needs no store: encoding, syntax, shape, weights. */
export function decodeDtabBody(body: DtabBody): Result<DecodedDtab> {
  return body.mediaType === jsonType ? decodeJsonDtab(body) : decodeTextDtab(body)
}

function decodeTextDtab({ bytes }: DtabBody): Result<DecodedDtab> {
  const text = decodeUtf8(bytes, 'bad-dtab')
  if (!text.ok) return text
  const parsed = parseDtab(text.value)
  const checked = parsed.ok ? checkDtab(parsed.value) : parsed
  return checked.ok ? success({ text: text.value, dtab: checked.value }) : checked
}

function decodeJsonDtab({ bytes, namespace }: DtabBody): Result<DecodedDtab> {
  const text = decodeUtf8(bytes, 'bad-request')
  const json = text.ok ? readJson(text.value) : text
  if (!json.ok) return json
  const isBare = Array.isArray(json.value)
  const entries = isBare ? success(json.value) : entriesOfDocument(json.value, namespace)
  const parsed = entries.ok ? dtabFromJson(entries.value) : entries
  const checked = parsed.ok ? checkDtab(parsed.value) : parsed
  if (!checked.ok) return failure(pointed(checked.error, isBare ? '' : '/dtab'))
  return success({ text: formatDtab(checked.value), dtab: checked.value })
}

/** What GET gives, with the types it gives; all but `dtab` may be left out, and only `namespace` is looked at. */
const documentFields: ReadonlyMap<string, string> = new Map([
  ['dtab', 'object'],
  ['namespace', 'string'],
  ['version', 'number'],
  ['author', 'string'],
  ['verified', 'boolean'],
  ['message', 'string'],
  ['time', 'string'],
  ['parent', 'number'],
  ['address', 'string'],
  ['refused', 'object'],
  ['bytes', 'number'],
  ['maxBytes', 'number'],
])

function entriesOfDocument(value: unknown, namespace: string): Result<unknown> {
  if (typeof value !== 'object' || value === null) {
    return failure(badShape('', 'The body must be an array of dentries or an object with a dtab.'))
  }
  for (const [name, member] of Object.entries(value)) {
    const type = documentFields.get(name)
    if (type === undefined)
      return failure(badShape(`/${name}`, `The body has an unknown field ${JSON.stringify(name)}.`))
    if (member === null || typeof member !== type) return failure(badShape(`/${name}`, `${name} has the wrong type.`))
  }
  const document: { readonly dtab?: unknown; readonly namespace?: unknown } = value
  if (!Array.isArray(document.dtab)) return failure(badShape('/dtab', 'The body needs a dtab, an array of dentries.'))
  if (document.namespace !== undefined && document.namespace !== namespace) {
    return failure(badShape('/namespace', `The body is of another namespace than '${namespace}'.`))
  }
  return success(document.dtab)
}

function badShape(at: string, message: string): NamingError {
  return new NamingError('bad-request', message, { detail: { at } })
}

/** Adds the JSON pointer of the entry at fault. */
function pointed(error: NamingError, base: string): NamingError {
  const { index, field } = error.detail
  if (index === undefined || error.detail.at !== undefined) return error
  const at = `${base}/${index}${field === undefined ? '' : `/${field}`}`
  return new NamingError(error.code, error.message, { detail: { ...error.detail, at } })
}
