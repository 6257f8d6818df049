// Reads fields of objects as an API server sends them: null is as good as absent, another type is an error that names the field.
// By hand, because a schema would take ten times as long as the reading of the JSON.

export type Json = Readonly<Record<string, unknown>>

const noFields: Json = {}
const noItems: readonly unknown[] = []

export function objectFrom(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError(`${what} is no object`)
  return value as Json // Any object may be asked for its fields.
}

/** Without fields when it is absent. */
export function objectAt(parent: Json, field: string): Json {
  const value = parent[field]
  return value === undefined || value === null ? noFields : objectFrom(value, field)
}

/** Empty when it is absent. */
export function listAt(parent: Json, field: string): readonly unknown[] {
  const value = parent[field]
  if (value === undefined || value === null) return noItems
  if (!Array.isArray(value)) throw new TypeError(`${field} is no list`)
  return value
}

export function textAt(parent: Json, field: string): string | undefined {
  const value = parent[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') throw new TypeError(`${field} is no text`)
  return value
}

export function flagAt(parent: Json, field: string): boolean | undefined {
  const value = parent[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw new TypeError(`${field} is neither true nor false`)
  return value
}

export function integerAt(parent: Json, field: string): number | undefined {
  const value = parent[field]
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) throw new TypeError(`${field} is no integer`)
  return value
}

/** The name that every object has. */
export function nameOf(metadata: Json): string {
  const name = textAt(metadata, 'name')
  if (name === undefined) throw new TypeError('metadata has no name')
  return name
}
