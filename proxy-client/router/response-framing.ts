// How the body of an upstream's response is announced to the client. Knows no connection.
import { Field } from '../http1/fields.ts'
import type { Framing, ResponseHead } from '../http1/message.ts'

const digits = /^[0-9]{1,15}$/

/** A response without a body may still say how long it would be: to HEAD, and 304. */
export function framingOf({ framing, fields }: ResponseHead): Framing {
  if (framing.kind !== 'none' || (fields.present & Field.contentLength) === 0) return framing
  const length = fields.first('content-length') ?? ''
  return digits.test(length) ? { kind: 'length', bytes: Number(length) } : framing
}
