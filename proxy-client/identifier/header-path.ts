// io.l5d.header: one header holds a whole path, which follows the prefix.
import { z } from 'zod'
import { parsePath } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { headerName } from './header-name.ts'
import type { Identifier } from './identifier.ts'
import { Names } from './names.ts'
import { oneValue } from './one-value.ts'

export const headerPathConfig = z.strictObject({
  kind: z.literal('io.l5d.header'),
  header: headerName.default('l5d-name'),
})

/** The name is `prefix` and the path in the header. */
export function createHeaderPath(header: string, prefix: Path): Identifier {
  const lowerName = header.toLowerCase()
  const names = new Names(prefix, text => {
    const parsed = parsePath(text)
    return parsed.ok ? parsed.value : `the ${header} header is not a path: ${parsed.error.message}`
  })
  return ({ head }) => {
    const value = oneValue(head.fields, lowerName, header)
    return typeof value === 'string' ? names.at(value) : value
  }
}
