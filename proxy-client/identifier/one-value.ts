// Reads a header of which a request must have exactly one.
import type { Fields } from '../http1/fields.ts'
import { type Unidentified, unidentified } from './identifier.ts'

/** Its value, or why there is none. `lowerName` is `header` in lower case. */
export function oneValue(fields: Fields, lowerName: string, header: string): string | Unidentified {
  const values = fields.all(lowerName)
  const [value] = values
  if (value === undefined || value === '') return unidentified(`the request has no ${header} header`)
  if (values.length > 1) return unidentified(`the request has ${values.length} ${header} headers`)
  return value
}
