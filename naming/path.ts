// Paths: sequences of byte-string labels such as /svc/web. Knows nothing of how they are parsed or looked up.
import { isLabelChar } from './characters.ts'

/** One path element: a non-empty string in which each character is one byte (U+0000 to U+00FF). */
export type Label = string

/** A path; the empty array is `/`. */
export type Path = readonly Label[]

export const emptyPath: Path = []

/** A loop, not a pattern: this runs for every label of a large dtab that is hashed. */
function isPlain(label: Label): boolean {
  for (let i = 0; i < label.length; i++) if (!isLabelChar(label.charCodeAt(i))) return false
  return true
}

/** A label as Finagle writes it: raw when every byte is a label character, else every byte as `\xhh`. */
export function showLabel(label: Label): string {
  if (isPlain(label)) return label
  let shown = ''
  for (let i = 0; i < label.length; i++) shown += `\\x${label.charCodeAt(i).toString(16).padStart(2, '0')}`
  return shown
}

/** Text of a path; `parsePath(showPath(p))` equals p. */
export function showPath(path: Path): string {
  if (path.length === 0) return '/'
  let shown = ''
  for (const label of path) shown += `/${showLabel(label)}`
  return shown
}

/** Whether the first labels of `path` are those of `prefix`. */
export function pathStartsWith(path: Path, prefix: Path): boolean {
  if (prefix.length > path.length) return false
  for (let i = 0; i < prefix.length; i++) if (path[i] !== prefix[i]) return false
  return true
}

export function pathEquals(a: Path, b: Path): boolean {
  return a.length === b.length && pathStartsWith(a, b)
}
