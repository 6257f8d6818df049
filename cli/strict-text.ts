// Bytes of a file or of standard input as text. What is not UTF-8 is refused: a character put in its place would be stored.
import { CliError } from './cli-error.ts'

/** Without a byte order mark, which is no part of the text. Throws a CliError that names `source`. */
export function strictText(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new CliError(1, `${source} is not UTF-8: save it as UTF-8 and try again`, { cause: error })
  }
}
