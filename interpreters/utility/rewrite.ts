// What every utility namer is, and the two habits of Java that their behaviour rests on.
import type { Path } from '../../naming/path.ts'

/** The path that `rest` (what follows `/$/<class>`) stands for; undefined for Neg. A throw is a failure of this leaf. */
export type Rewrite = (rest: Path) => Path | undefined

/** A path whose labels were made here: an empty one is a fault of the name, not a Neg. */
export function pathOf(labels: readonly string[]): Path {
  if (labels.includes('')) throw new Error('requirement failed: a path has an empty label')
  return labels
}

/** The parts between separators; empty ones at the end vanish, as in Java's split. */
export function splitAs(text: string, separator: string): readonly string[] {
  let end = text.length
  while (end > 0 && text[end - 1] === separator) end--
  return end === 0 ? [] : text.slice(0, end).split(separator)
}
