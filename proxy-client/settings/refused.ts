// Keys that linkerd has and we lack: an error that says what to do instead of "unknown key".
import { z } from 'zod'

/** Stands for a key in a strict object; `instead` says what to do. */
export function refused(instead: string): z.ZodOptional<z.ZodNever> {
  return z.never({ error: `is not supported: ${instead}` }).optional()
}
