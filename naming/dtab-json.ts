// Dtabs as JSON: `[{"prefix":"/svc","dst":"/#/io.l5d.fs"}]`, exact or as Finagle shows it. Input is checked strictly.
import type { Dentry, Dtab } from './dtab.ts'
import { NamingError } from './errors.ts'
import { formatNameTree, formatPrefix } from './format.ts'
import { parseNameTree, parsePrefix } from './parse.ts'
import { failure, type Result, success } from './result.ts'
import { showNameTree, showPrefix } from './show.ts'

export interface DentryJson {
  readonly prefix: string
  readonly dst: string
}

/** Exact texts: `dtabFromJson` undoes it. */
export function dtabToJson(dtab: Dtab): DentryJson[] {
  return dtab.map(({ prefix, dst }) => ({ prefix: formatPrefix(prefix), dst: formatNameTree(dst) }))
}

/** Finagle's texts, whose weights have two decimals: for `/api/1`. */
export function showDtabJson(dtab: Dtab): DentryJson[] {
  return dtab.map(({ prefix, dst }) => ({ prefix: showPrefix(prefix), dst: showNameTree(dst) }))
}

/**
 * A dtab from decoded JSON. A wrong shape is `bad-request`, a text that does not parse `bad-dtab`; `detail.index` is
 * the entry's place and `detail.field` the field at fault.
 */
export function dtabFromJson(value: unknown): Result<Dtab> {
  if (!Array.isArray(value)) return failure(new NamingError('bad-request', 'a dtab must be a JSON array of entries'))
  const dtab: Dentry[] = []
  for (let index = 0; index < value.length; index++) {
    const dentry = dentryFromJson(value[index], index)
    if (!dentry.ok) return dentry
    dtab.push(dentry.value)
  }
  return success(dtab)
}

function dentryFromJson(value: unknown, index: number): Result<Dentry> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return badShape(index, `entry ${index} must be an object with prefix and dst`)
  }
  const fields: Partial<Record<string, unknown>> = { ...value }
  const unknownField = Object.keys(fields).find(name => name !== 'prefix' && name !== 'dst')
  if (unknownField !== undefined) {
    return badShape(index, `entry ${index} has an unknown field ${JSON.stringify(unknownField)}`, unknownField)
  }
  const { prefix, dst } = fields
  if (typeof prefix !== 'string') return badShape(index, `entry ${index} needs a prefix, a string`, 'prefix')
  if (typeof dst !== 'string') return badShape(index, `entry ${index} needs a dst, a string`, 'dst')
  return dentryFromTexts(prefix, dst, index)
}

function dentryFromTexts(prefixText: string, dstText: string, index: number): Result<Dentry> {
  const prefix = parsePrefix(prefixText)
  if (!prefix.ok) return badText(prefix.error, index, 'prefix')
  const dst = parseNameTree(dstText)
  if (!dst.ok) return badText(dst.error, index, 'dst')
  return success({ prefix: prefix.value, dst: dst.value })
}

function badShape(index: number, message: string, field?: string): Result<never> {
  return failure(
    new NamingError('bad-request', message, { detail: field === undefined ? { index } : { index, field } }),
  )
}

function badText(error: NamingError, index: number, field: string): Result<never> {
  return failure(
    new NamingError('bad-dtab', `entry ${index}, ${field}: ${error.message}`, {
      detail: { ...error.detail, index, field },
    }),
  )
}
