// Makes fields from names and values, by the reader's own rules.

import { noFields } from './field-section.ts'
import type { Fields } from './fields.ts'
import { SectionScan } from './section-scan.ts'

const noLimits = { maxStartLineBytes: 0, maxFieldBytes: 2 ** 30, maxFields: 2 ** 30 }

/** A section with these fields, in this order. Throws when a name or a value is not what may go on the wire. */
export function fieldsOf(pairs: readonly (readonly [string, string])[]): Fields {
  if (pairs.length === 0) return noFields
  const text = `${pairs.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  const bytes = Buffer.from(text, 'latin1')
  const scan = new SectionScan(noLimits, () => undefined)
  scan.begin(false)
  const end = scan.read(bytes, 0)
  const fields = scan.isWhole && end === bytes.length ? scan.fields() : undefined
  if (fields?.size !== pairs.length) throw new Error('A field has a name or a value that cannot be sent.')
  return fields
}
