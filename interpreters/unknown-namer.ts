// The error for a path under /$/ that no built-in namer understands.
import { NamingError } from '../naming/errors.ts'
import { type Path, showPath } from '../naming/path.ts'

/** `/$/<class>` is no namer, or not in this shape. The message is the class alone, as namerd's; `detail` has the whole path. */
export function unknownNamer(path: Path): NamingError {
  const className = path[1] ?? ''
  return new NamingError('unknown-namer', className, { detail: { namer: className, path: showPath(path) } })
}

/** namerd's longer text of the same error, for explanations. */
export function explainUnknownNamer(path: Path): string {
  return `Unknown namer: ${path[1] ?? ''} for path: ${showPath(path)}`
}
