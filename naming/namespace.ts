// Names of namespaces: which texts may be one.
import { NamingError } from './errors.ts'
import { failure, type Result, success } from './result.ts'

const namespacePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/

/** The text itself when it may name a namespace; a `bad-namespace` error otherwise. */
export function parseNamespace(text: string): Result<string> {
  if (namespacePattern.test(text)) return success(text)
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return failure(
    new NamingError(
      'bad-namespace',
      `'${shown}' is not a namespace: 1 to 253 letters, digits, dots, dashes and underscores, a letter or digit first`,
    ),
  )
}
