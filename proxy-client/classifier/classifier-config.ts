// What a configuration may say of which answers are failures; linkerd's kinds.
import { z } from 'zod'

export const classifierConfig = z.strictObject({
  kind: z.enum([
    'io.l5d.http.nonRetryable5XX',
    'io.l5d.http.retryableRead5XX',
    'io.l5d.http.retryableIdempotent5XX',
    'io.l5d.http.retryableAll5XX',
    'io.l5d.http.allSuccessful',
  ]),
})

export type ClassifierConfig = z.output<typeof classifierConfig>
