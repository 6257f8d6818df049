// clearContext: at an edge nothing that a client says of routing counts. Knows no router.
import { Field, type Fields } from '../http1/fields.ts'
import { fieldsOf } from '../http1/fields-of.ts'

const context: number =
  Field.deadline |
  Field.contextDtab |
  Field.dtab |
  Field.requestId |
  Field.destination |
  Field.otherContext |
  Field.otherL5d |
  Field.error |
  Field.retryable |
  Field.successClass

/** The same fields without any whose name begins with `l5d-`; the very same when there is none. */
export function withoutContext(fields: Fields): Fields {
  if ((fields.present & context) === 0) return fields
  const kept: (readonly [string, string])[] = []
  for (let i = 0; i < fields.size; i++) {
    const name = fields.nameAt(i)
    if (!name.toLowerCase().startsWith('l5d-')) kept.push([name, fields.valueAt(i)])
  }
  return fieldsOf(kept)
}
