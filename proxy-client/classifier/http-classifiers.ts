// linkerd's classifiers that need no retries; those that allow some belong with the retries themselves.
import { z } from 'zod'
import type { Classifier } from './classifier.ts'

/** Any 5xx is a failure, and is never tried again: the default. */
export const nonRetryable5XX: Classifier = ({ status }) => (status >= 500 ? 'failure' : 'success')

/** Whatever came back is a success. */
export const allSuccessful: Classifier = () => 'success'

const classifiers = {
  'io.l5d.http.nonRetryable5XX': nonRetryable5XX,
  'io.l5d.http.allSuccessful': allSuccessful,
} as const satisfies Record<string, Classifier>

export const classifierConfig = z.strictObject({
  kind: z.enum(['io.l5d.http.nonRetryable5XX', 'io.l5d.http.allSuccessful']),
})

export function classifierFor({ kind }: z.output<typeof classifierConfig>): Classifier {
  return classifiers[kind]
}
