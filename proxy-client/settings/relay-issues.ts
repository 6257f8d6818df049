// Hands what one schema found on to another that chose it, so that every problem keeps its place and teaches the keys.
import type { z } from 'zod'
import { knownKeysAt } from '../../runtime/config-keys.ts'

/** Adds each issue of `error` to `context`; `schema` is the one that found it. */
export function relayIssues(error: z.ZodError, schema: z.ZodType, context: z.RefinementCtx): void {
  for (const issue of error.issues) {
    if (issue.code !== 'unrecognized_keys') {
      context.addIssue({ code: 'custom', path: issue.path, message: issue.message })
      continue
    }
    const known = knownKeysAt(
      schema,
      issue.path.filter(part => typeof part !== 'symbol'),
    )
    const hint = known.length === 0 ? '' : `; known keys: ${known.join(', ')}`
    for (const key of issue.keys) {
      context.addIssue({ code: 'custom', path: [...issue.path, key], message: `unknown key${hint}` })
    }
  }
}
