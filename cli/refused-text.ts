// What somebody left in the store and is no dtab, as a warning beside what is served in its place.
import type { Refused } from './answers.ts'

/** One line, for standard error. `version` is what stays in force. */
export function refusedWarning(namespace: string, refused: Refused, version: number | undefined): string {
  const { reason, line, column = 1, since } = refused
  const place = line === undefined ? '' : ` at line ${line}, column ${column}`
  const instead = version === undefined ? 'the namespace does not exist' : `version ${version} stays in force`
  return `warning: the text of ${namespace} in the store is no dtab${place} (${reason.replace(/\.$/, '')}), since ${since}: ${instead}`
}
