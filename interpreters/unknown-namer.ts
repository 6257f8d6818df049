// The error for a path under /$/ that no built-in namer understands.
import { NamingError } from '../naming/errors.ts'
import { type Path, showPath } from '../naming/path.ts'

/** `/$/<class>` is no namer, or not in this shape. `detail.namer` is the class: all that namerd says when it binds. */
export function unknownNamer(path: Path): NamingError {
  const namer = path[1] ?? ''
  const shown = showPath(path)
  return new NamingError('unknown-namer', `Unknown namer: ${namer} for path: ${shown}`, {
    detail: { namer, path: shown },
  })
}
