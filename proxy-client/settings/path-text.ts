// How the configuration writes a path.
import { z } from 'zod'
import { parsePath } from '../../naming/parse.ts'

/** Text of a path, kept as its labels. */
export const pathText = z.string().transform((text, context) => {
  const parsed = parsePath(text)
  if (parsed.ok) return parsed.value
  context.addIssue({ code: 'custom', message: parsed.error.message })
  return z.NEVER
})
