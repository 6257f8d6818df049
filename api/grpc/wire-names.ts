// Names and ids as clients send them: what is asked, or the error that says what is wrong with it.
import type { BindRequest } from '../../interpreters/interpreter.ts'
import { NamingError } from '../../naming/errors.ts'
import { parseNamespace } from '../../naming/namespace.ts'
import { parseDtab } from '../../naming/parse.ts'
import type { Path } from '../../naming/path.ts'
import { failure, type Result, success } from '../../naming/result.ts'
import type { WireName } from '../../proto/watch-requests.ts'

/** Characters that a local dtab may have; larger ones belong into a namespace. */
const maxLocalDtabLength = 65_536

/** The request to bind; the failure is bad-namespace, bad-path or bad-dtab. */
export function bindRequestFromName({ namespace, path, dtab }: WireName): Result<BindRequest> {
  const parsed = parseNamespace(namespace)
  if (!parsed.ok) return parsed
  const checked = checkPath(path)
  if (!checked.ok) return checked
  if (dtab === '') return success({ namespace, path })
  if (dtab.length > maxLocalDtabLength)
    return failure(new NamingError('bad-dtab', `A local dtab may have ${maxLocalDtabLength} characters, not more.`))
  const local = parseDtab(dtab)
  return local.ok ? success({ namespace, path, local: local.value }) : local
}

/** The path itself when it may be one; a bad-path error otherwise. */
export function checkPath(path: Path): Result<Path> {
  if (path.every(label => label !== '')) return success(path)
  return failure(new NamingError('bad-path', 'A label of the path is empty; every label has at least one byte.'))
}
