// A refusal of the server, for people: cause and cure in one line, then what helps to see it.
import type { Problem } from './answers.ts'
import { CliError, type FailureCode } from './cli-error.ts'
import { paintedDiffLine } from './dtab-text.ts'
import { printable } from './printable.ts'
import { refusedWarning } from './refused-text.ts'
import type { Paint } from './styles.ts'

/** What the request was about, to say more than the server can. */
export interface Subject {
  readonly namespace?: string | undefined
  /** The text that was sent and may be at fault, and where it came from. */
  readonly text?: string | undefined
  readonly source?: string | undefined
  /** The name that was to be bound or resolved. */
  readonly evaluated?: string | undefined
  /** The request was to create what did not exist. */
  readonly isNew?: boolean | undefined
}

/** What to print, and how to exit. */
export function cliErrorOf(problem: Problem, subject: Subject, paint: Paint): CliError {
  const cure = cureOf(problem, subject)
  const cause = causeOf(problem, subject)
  const message = cure === undefined ? cause : `${cause.replace(/\.$/, '')}: ${cure}`
  return new CliError(exitCodeOf(problem), message, { more: details(problem, subject, paint) })
}

function exitCodeOf({ status }: Problem): FailureCode {
  if (status === 404) return 4
  return status === 412 ? 3 : 1
}

/** One line. A fault in a text is `FILE:LINE:COLUMN: message`, as compilers write it; the text itself is shown below. */
function causeOf({ detail, title, status, line, column = 1, at }: Problem, { source, text }: Subject): string {
  const said = detail ?? title ?? `the server answered ${status}`
  const isPlaced = line !== undefined && source !== undefined
  const short = isPlaced ? said.replace(/ at '.*$/s, '') : (said.split('\n', 1)[0] ?? said)
  if (!isPlaced) return short
  return text === undefined
    ? `${source}${at === undefined ? '' : `, ${at}`}: ${short}`
    : `${source}:${line}:${column}: ${short}`
}

function cureOf(problem: Problem, { namespace = 'NAMESPACE', isNew, evaluated }: Subject): string | undefined {
  switch (problem.code) {
    case 'dtab-not-found':
      return `\`namerctl dtab list\` shows what exists, \`namerctl dtab create ${namespace} FILE\` makes it`
    case 'version-not-found':
      return `\`namerctl dtab history ${namespace}\` lists the versions`
    case 'source-not-found':
      return '`namerctl sources` shows how they are'
    case 'dtab-version-mismatch':
      return isNew
        ? `\`namerctl dtab put ${namespace} FILE\` replaces it`
        : `look with \`namerctl dtab get ${namespace}\`, then try again`
    case 'namer-unavailable':
      return evaluated === undefined ? undefined : `\`namerctl delegate ${evaluated}\` shows which alternative it is`
    case 'store-busy':
    case 'store-unavailable':
    case 'unavailable':
      return 'try again in a moment'
    default:
      return undefined
  }
}

function details(problem: Problem, { text, namespace = 'the namespace' }: Subject, paint: Paint): string[] {
  const { line, column = 1, presentVersion, author, time, message, diff, refused } = problem
  if (refused !== undefined) return [refusedWarning(namespace, refused, undefined)]
  const shown = line === undefined ? undefined : text?.split('\n')[line - 1]
  if (shown !== undefined) return caretLines(shown, column)
  if (presentVersion === undefined || author === undefined) return []
  const why = message === undefined || message === '' ? '' : `: ${printable(message)}`
  const lines = [
    `# version ${presentVersion} was written by ${printable(author)}${time === undefined ? '' : ` at ${time}`}${why}`,
  ]
  if (diff !== undefined)
    lines.push(
      ...diff.text
        .split('\n')
        .filter(text => text !== '')
        .map(text => paintedDiffLine(text, paint)),
    )
  if (diff?.isCut) lines.push('# (the rest of the change is left out)')
  return lines
}

const shownColumns = 100

/** The line and a caret under the column; of a long line only what is around it. */
function caretLines(line: string, column: number): string[] {
  const start = Math.max(0, column - 1 - Math.floor(shownColumns / 2))
  const shown = line.slice(start, start + shownColumns)
  const before = shown.slice(0, column - 1 - start).replace(/[^\t]/g, ' ')
  return [`  ${shown}`, `  ${before}^`]
}
