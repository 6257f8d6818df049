// How long a body is, by the fields of its head (RFC 9112, 6). Every doubt is a problem.
import { withoutBlanks } from './blanks.ts'
import { Field, type Fields } from './fields.ts'
import type { Framing, MessageProblem } from './message.ts'
import { tokenBytes } from './octets.ts'
import { malformed, unsupported } from './problem.ts'

/** The framings that hold no number, made once. */
export const noBody: Framing = { kind: 'none' }
export const chunkedBody: Framing = { kind: 'chunked' }
export const bodyToClose: Framing = { kind: 'close' }
export const tunnel: Framing = { kind: 'tunnel' }

const framingFields = Field.contentLength | Field.transferEncoding

/** Digits of the largest safe integer. */
const maxLengthDigits = 16

/** What the fields say: chunked or a length, undefined when they say nothing. `repeated` are the bits of names that occur twice. */
export function announcedBody(fields: Fields, repeated: number, minor: 0 | 1): Framing | MessageProblem | undefined {
  const present = fields.present & framingFields
  if (present === 0) return undefined
  if ((repeated & framingFields) !== 0) return malformed('The length of the body is given twice.')
  if (present === framingFields) return malformed('Content-Length and Transfer-Encoding stand in one head.')
  if (present === Field.contentLength) return bodyOfLength(fields.first('content-length') ?? '')
  if (minor === 0) return malformed('Transfer-Encoding stands in an HTTP/1.0 message.')
  return codedBody(fields.first('transfer-encoding') ?? '')
}

function bodyOfLength(value: string): Framing | MessageProblem {
  if (value.length === 0 || value.length > maxLengthDigits) return malformed('Content-Length is not a number of bytes.')
  let bytes = 0
  for (let i = 0; i < value.length; i++) {
    const digit = value.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return malformed('Content-Length is not a number of bytes.')
    bytes = bytes * 10 + digit
  }
  return Number.isSafeInteger(bytes) ? { kind: 'length', bytes } : malformed('Content-Length is too large.')
}

function codedBody(value: string): Framing | MessageProblem {
  if (value === 'chunked' || value.toLowerCase() === 'chunked') return chunkedBody
  const codings = value
    .toLowerCase()
    .split(',')
    .map(coding => withoutBlanks(coding))
  if (!codings.every(isToken)) return malformed('Transfer-Encoding is not a list of codings.')
  if (codings.slice(0, -1).includes('chunked')) return malformed('The coding chunked is not the last, or stands twice.')
  return unsupported('The only transfer coding that is read is chunked.')
}

/** Whether a text is one token of RFC 9110, 5.6.2. */
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenBytes[text.charCodeAt(i)] !== 1) return false
  return text.length > 0
}
