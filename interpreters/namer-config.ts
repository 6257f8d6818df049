// What the configuration of every namer has in common.
import { z } from 'zod'
import { parsePath } from '../naming/parse.ts'
import type { Path } from '../naming/path.ts'

/** The options `prefix` (parsed; `/#` put before it; `/<kind>` when not said), `experimental` and, refused, `transformers`. */
export function namerOptions(kind: string) {
  return {
    prefix: z
      .string()
      .default(`/${kind}`)
      .transform((text, context): Path => {
        const path = parsePath(text)
        if (path.ok && path.value.length > 0) return ['#', ...path.value]
        context.addIssue({
          code: 'custom',
          message: path.ok ? 'a prefix needs at least one label' : path.error.message,
        })
        return z.NEVER
      }),
    /** Accepted because namerd asks for it on some kinds. */
    experimental: z.boolean().optional(),
    transformers: z.undefined({ error: 'transformers are not supported yet; delete this key' }).optional(),
  }
}
