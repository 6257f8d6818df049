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

/** Options of every namer over a backend, whose names come and go by themselves: see DiscoveryRule. */
export const discoveryOptions = {
  /** A name that exists but has no usable endpoint is Neg, so that `|` falls over. */
  emptyIsNeg: z.boolean().default(true),
  /** Milliseconds. */
  emptyHoldDownMs: z.int().min(0).max(600_000).default(1_000),
  /** `false` switches the guard off. */
  massEmpty: z
    .union(
      [
        z.literal(false),
        z.strictObject({
          maxShare: z.number().gt(0).lt(1).default(0.5),
          windowMs: z.int().min(100).max(3_600_000).default(30_000),
          minNames: z.int().min(2).default(10),
        }),
      ],
      { error: 'false, or an object with any of maxShare, windowMs, minNames' },
    )
    .prefault({}),
}
