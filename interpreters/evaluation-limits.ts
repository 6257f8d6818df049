// How far the evaluation of one name may go, and the errors that say where it went too far. Knows no dtab and no namer.
import { type ErrorDetail, NamingError } from '../naming/errors.ts'
import { type Path, showPath } from '../naming/path.ts'

/** Rewrites from the name to a bound id; one more fails, as in Finagle. */
export const maxDepth = 100

/** Look-ups for one name, over all its branches. */
export const maxLookups = 10_000

/** What a binding may cost: characters of the paths looked up, of the rules' nodes walked over, and of the result's text. */
export const maxBindWork = 2_500_000

/** The same for an explanation, in which every step shows its path and its rule. */
export const maxExplainWork = 16_000_000

/** Rules that may match, over all look-ups. */
export const maxMatches = 500_000

/**
 * Nodes of name trees that may be open inside one another, over all rewrites, each of which counts as some levels: plain
 * recursion leaves a third of the usual stack up to here.
 */
export const maxNesting = 1_100
/** How many levels an open look-up counts as. */
export const lookupLevels = 2

/** A name keeps up to one more than this of the paths it looked up; with more it is evaluated again at every version. */
export const maxPathsKept = 256

/** The same for the labels of those paths, all together. */
export const maxLabelsKept = 1_024

/** Steps shown of a path through the rules that is too long to show whole. */
const shownSteps = 6

/** Members of a circle that are shown; all of them when they are no more than this. */
const shownMembers = 24

/** Characters shown of one path. */
const shownChars = 200

/** Path text for messages, cut when it is very long. */
export function readableStep(path: Path): string {
  return cut(showPath(path))
}

/** The rules that lead back to the first of them, by path or by prefix, as text. */
export type Circle = readonly string[]

/** Finagle's words, which clients of namerd know, and then what to look at. */
export function tooDeep(steps: readonly Path[], circle: Circle | undefined): NamingError {
  const shown = steps.slice(0, shownSteps).map(readableStep)
  return new NamingError(
    'name-too-deep',
    `Max recursion level: ${maxDepth} reached in Namer lookup: ${shown.join(' -> ')} -> ...${because(circle)}`,
    { detail: { steps: shown, ...cycleOf(circle) } },
  )
}

/** linkerd's words for an explanation that goes too deep. */
export const explanationTooDeep = 'Max recursion level reached.'

/** The same as the failure of a whole explanation. */
export function tooDeepToExplain(circle: Circle | undefined): NamingError {
  const reason = circle === undefined ? '' : ` The rules lead in a circle, ${closed(circle)}.`
  return new NamingError('name-too-deep', `${explanationTooDeep}${reason}`, { detail: cycleOf(circle) })
}

/** A path that leads back to itself; the circle begins with it. */
export function endlessCycle(circle: Circle): NamingError {
  return new NamingError(
    'name-too-deep',
    `Max recursion level: ${maxDepth} reached in Namer lookup: the rules lead in a circle, ${closed(circle)}`,
    { detail: cycleOf(circle) },
  )
}

/** The limit of look-ups was reached; a circle met on the way is the likely cause and is named. */
export function tooMuchWork(name: Path, circle: Circle | undefined): NamingError {
  return new NamingError(
    'evaluation-limit',
    `${readableStep(name)} needs more than ${maxLookups} look-ups${because(circle)}`,
    { detail: { maxLookups, ...cycleOf(circle) } },
  )
}

/** The paths, rules or results of a name grow beyond what is worked through for one name. */
export function tooLarge(name: Path, maxWork: number, circle: Circle | undefined): NamingError {
  return new NamingError(
    'evaluation-limit',
    `${readableStep(name)} leads through more than ${maxWork} characters of paths and rules${because(circle)}`,
    { detail: { maxWork, ...cycleOf(circle) } },
  )
}

export function tooNested(name: Path): NamingError {
  return new NamingError(
    'evaluation-limit',
    `${readableStep(name)} leads through trees nested more than ${maxNesting} deep`,
    { detail: { maxNesting } },
  )
}

function because(circle: Circle | undefined): string {
  return circle === undefined ? '' : `; the rules lead in a circle, ${closed(circle)}`
}

function cycleOf(circle: Circle | undefined): ErrorDetail {
  return circle === undefined ? {} : { cycle: circle.map(cut) }
}

/** Every member, and the first again at the end. */
function closed(circle: Circle): string {
  const shown = circle.slice(0, shownMembers).map(cut)
  const omitted = circle.length - shown.length
  return [...shown, ...(omitted > 0 ? [`(${omitted} more)`] : []), ...shown.slice(0, 1)].join(' -> ')
}

function cut(text: string): string {
  return text.length <= shownChars ? text : `${text.slice(0, shownChars)}…`
}
