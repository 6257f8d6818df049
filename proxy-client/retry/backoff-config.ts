// What a configuration may say of the waits between tries; linkerd's kinds and names.
import { z } from 'zod'

const milliseconds = z.int().min(0).max(86_400_000)

const constant = z.strictObject({ kind: z.literal('constant'), ms: milliseconds.default(0) })

const jittered = z
  .strictObject({ kind: z.literal('jittered'), minMs: milliseconds.min(1), maxMs: milliseconds.min(1) })
  .refine(({ minMs, maxMs }) => minMs <= maxMs, { path: ['maxMs'], error: 'maxMs is below minMs' })

/** constant: the same wait each time; jittered: by chance, up to three times the one before, within the limits. */
export const backoffConfig = z.discriminatedUnion('kind', [constant, jittered])

export type BackoffConfig = z.output<typeof backoffConfig>
