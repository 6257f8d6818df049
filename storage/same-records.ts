// When two lists of presence tell an observer the same.
import type { PresenceRecord } from './store.ts'

/** A renewal alone is not news. */
export function sameRecords(a: readonly PresenceRecord[], b: readonly PresenceRecord[]): boolean {
  return a.length === b.length && a.every((x, i) => x.id === b[i]?.id && x.data === b[i]?.data)
}
