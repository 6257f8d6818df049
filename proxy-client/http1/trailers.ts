// Which fields of a trailer section go on (RFC 9110, 6.5.1). Those that may not stand there are left out, not merged.
import type { Fields } from './fields.ts'
import { fieldsOf } from './fields-of.ts'

/** Beside all names that have a bit in `Field`: those frame, route or concern one hop. */
const forbiddenNames: ReadonlySet<string> = new Set([
  'accept-encoding',
  'age',
  'authentication-info',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'location',
  'max-forwards',
  'pragma',
  'proxy-authentication-info',
  'range',
  'retry-after',
  'set-cookie',
  'vary',
  'warning',
  'www-authenticate',
])

/** The fields that may stand in a trailer section; undefined when none is left. */
export function permittedTrailers(fields: Fields): Fields | undefined {
  const kept: (readonly [string, string])[] = []
  for (let i = 0; i < fields.size; i++) {
    const name = fields.nameAt(i)
    if (isPermitted(name)) kept.push([name, fields.valueAt(i)])
  }
  if (kept.length === 0) return undefined
  return kept.length === fields.size ? fields : fieldsOf(kept)
}

function isPermitted(name: string): boolean {
  if (forbiddenNames.has(name.toLowerCase())) return false
  return fieldsOf([[name, '']]).present === 0
}
