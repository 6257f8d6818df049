// The hash by which equal dtabs are known, whoever parsed them.
import { contentHash } from './content-hash.ts'
import type { Dtab } from './dtab.ts'
import { formatDtab } from './format.ts'

/** Content hash of the entries as exact text: comments, blanks and layout of the source play no part. */
export function dtabHash(dtab: Dtab): string {
  return contentHash(formatDtab(dtab))
}
