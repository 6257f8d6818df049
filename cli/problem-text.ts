// A refusal of the server, for people: cause and cure in one line, then what helps to see it.
import type { Problem } from './answers.ts'
import { CliError, type FailureCode } from './cli-error.ts'
import { diffLines } from './dtab-text.ts'
import type { Paint } from './styles.ts'

/** What the request was about, to say more than the server can. */
export interface Subject {
  readonly namespace?: string | undefined
  /** The dtab text that was sent, and where it came from. */
  readonly text?: string | undefined
  readonly source?: string | undefined
}

export function cliErrorOf(problem: Problem, subject: Subject, paint: Paint): CliError {
  const cause = problem.detail ?? problem.title ?? `the server answered ${problem.status}`
  const cure = cureOf(problem, subject)
  const message = cure === undefined ? cause : `${cause.replace(/\.$/, '')}: ${cure}`
  return new CliError(exitCodeOf(problem), placed(message, problem, subject), {
    more: details(problem, subject, paint),
  })
}

function exitCodeOf({ status }: Problem): FailureCode {
  if (status === 404) return 4
  return status === 412 ? 3 : 1
}

function cureOf(problem: Problem, { namespace = 'NAMESPACE' }: Subject): string | undefined {
  switch (problem.code) {
    case 'dtab-not-found':
      return `\`namerctl dtab list\` shows what exists, \`namerctl dtab create ${namespace} FILE\` makes it`
    case 'version-not-found':
      return `\`namerctl dtab history ${namespace}\` lists the versions`
    case 'dtab-version-mismatch':
      return `look with \`namerctl dtab get ${namespace}\`, then try again`
    case 'store-busy':
    case 'store-unavailable':
    case 'unavailable':
      return 'try again in a moment'
    default:
      return undefined
  }
}

/** `FILE:LINE:COLUMN: message`, as compilers write it. */
function placed(message: string, { line, column }: Problem, { source, text }: Subject): string {
  if (text === undefined || source === undefined || line === undefined) return message
  return `${source}:${line}:${column ?? 1}: ${message}`
}

function details(problem: Problem, { text }: Subject, paint: Paint): string[] {
  const { line, column = 1, present, diff, diffOmitted } = problem
  const shown = line === undefined ? undefined : text?.split('\n')[line - 1]
  if (shown !== undefined) return caretLines(shown, column)
  if (present === undefined) return []
  const { version, author, time, message } = present
  const why = message === '' ? '' : `: ${message}`
  const lines = [`version ${version} was written by ${author} at ${time}${why}`]
  if (diff !== undefined) lines.push(...diffLines(diff, paint))
  if (diffOmitted) lines.push('(the change is too large to show)')
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
