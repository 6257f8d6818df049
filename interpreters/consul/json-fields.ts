// Reads decoded JSON of Consul strictly: what is absent or null is empty, what has another type is an error that names it.

/** A JSON object. */
export type Fields = Readonly<Record<string, unknown>>

/** A list of objects; null is an empty one, as Go writes it. */
export function listOf(value: unknown): readonly Fields[] {
  if (value === null) return []
  if (!Array.isArray(value)) throw malformed('a list', value)
  const entries: readonly unknown[] = value
  return entries.map(asObject)
}

export function objectIn(fields: Fields, key: string): Fields {
  return asObject(fields[key], key)
}

export function asObject(value: unknown, where: string | number = 'the answer'): Fields {
  if (!isObject(value)) throw malformed('an object', value, where)
  return value
}

export function stringIn(fields: Fields, key: string): string {
  const value = fields[key] ?? ''
  if (typeof value !== 'string') throw malformed('a text', value, key)
  return value
}

export function numberIn(fields: Fields, key: string): number {
  const value = fields[key] ?? 0
  if (typeof value !== 'number') throw malformed('a number', value, key)
  return value
}

export function stringsIn(fields: Fields, key: string): readonly string[] {
  return stringsOf(fields[key] ?? [], key)
}

export function stringsOf(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw malformed('a list of texts', value, where)
  const texts: readonly unknown[] = value
  return texts.map(text => {
    if (typeof text !== 'string') throw malformed('a text', text, where)
    return text
  })
}

/** An object of texts. */
export function textsIn(fields: Fields, key: string): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [name, text] of Object.entries(asObject(fields[key] ?? {}, key))) {
    if (typeof text !== 'string') throw malformed('a text', text, `${key}.${name}`)
    texts[name] = text
  }
  return texts
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(expected: string, value: unknown, where: string | number = 'the answer'): Error {
  const got = value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value
  return new Error(`malformed answer of Consul: ${where} should be ${expected}, but is ${got}`)
}
