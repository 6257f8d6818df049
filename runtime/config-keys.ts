// Lists the keys a schema knows at a place, so that an error about an unknown key can teach the right one.
import { z } from 'zod'

/** Keys of the object schema at `path`, sorted, without those that are there to be refused; empty where the schema there is not one object. */
export function knownKeysAt(schema: z.ZodType, path: readonly (string | number)[]): readonly string[] {
  let at: unknown = unwrap(schema)
  for (const part of path) at = unwrap(step(at, part))
  if (!(at instanceof z.ZodObject)) return []
  const { shape } = at
  return Object.keys(shape)
    .filter(key => !(unwrap(shape[key]) instanceof z.ZodNever))
    .sort()
}

function step(schema: unknown, part: string | number): unknown {
  if (schema instanceof z.ZodObject && typeof part === 'string') return schema.shape[part]
  if (schema instanceof z.ZodArray) return schema.element
  if (schema instanceof z.ZodRecord) return schema.valueType
  return undefined
}

function unwrap(schema: unknown): unknown {
  let inner = schema
  while (
    inner instanceof z.ZodOptional ||
    inner instanceof z.ZodDefault ||
    inner instanceof z.ZodReadonly ||
    inner instanceof z.ZodPrefault
  ) {
    inner = inner.unwrap()
  }
  return inner
}
