// How far the evaluation of one name may go, and the errors that say where it went too far. Knows no dtab and no namer.
import { NamingError } from '../naming/errors.ts'
import { type Path, pathEquals, showPath } from '../naming/path.ts'

/** Rewrites from the name to a bound id; one more fails, as in Finagle. */
export const maxDepth = 100

/** Look-ups for one name, over all its branches. */
export const maxLookups = 10_000

/** Nodes of name trees that may be open inside one another, over all rewrites: plain recursion is safe up to here. */
export const maxNesting = 1_500

/** A name keeps up to one more than this of the paths it looked up; with more it is evaluated again at every version. */
export const maxPathsKept = 256

/** Steps shown of a path through the rules that is too long to show whole. */
const shownSteps = 6

/** Finagle's words, which clients of namerd know, and then what to look at. */
export function tooDeep(steps: readonly Path[]): NamingError {
  return new NamingError('name-too-deep', `Max recursion level: ${maxDepth} reached in Namer lookup: ${route(steps)}`, {
    detail: { steps: steps.slice(0, shownSteps).map(showPath) },
  })
}

/** A path that leads back to itself; `cycle` begins with it. */
export function endlessCycle(cycle: readonly Path[]): NamingError {
  const [first] = cycle
  const closed = first === undefined ? cycle : [...cycle, first]
  return new NamingError(
    'name-too-deep',
    `Max recursion level: ${maxDepth} reached in Namer lookup: the rules lead in a circle, ${route(closed)}`,
    { detail: { cycle: cycle.map(showPath) } },
  )
}

/** The work limit was reached; a cycle met on the way is the likely cause and is named. */
export function tooMuchWork(name: Path | undefined, cycle: readonly Path[] | undefined): NamingError {
  const subject = name === undefined ? 'the name' : showPath(name)
  const because = cycle === undefined ? '' : `; the rules lead in a circle, ${route([...cycle, ...cycle.slice(0, 1)])}`
  return new NamingError('evaluation-limit', `${subject} needs more than ${maxLookups} look-ups${because}`, {
    detail: cycle === undefined ? { maxLookups } : { maxLookups, cycle: cycle.map(showPath) },
  })
}

export function tooNested(name: Path | undefined): NamingError {
  const subject = name === undefined ? 'the name' : showPath(name)
  return new NamingError('evaluation-limit', `${subject} leads through trees nested more than ${maxNesting} deep`, {
    detail: { maxNesting },
  })
}

/** Where `path` stands in the open look-ups; -1 when it is not open. */
export function openAt(open: readonly Path[], path: Path): number {
  for (let i = open.length - 1; i >= 0; i--) {
    const other = open[i]
    if (other !== undefined && pathEquals(other, path)) return i
  }
  return -1
}

function route(steps: readonly Path[]): string {
  if (steps.length <= shownSteps + 1) return steps.map(showPath).join(' -> ')
  const last = steps.at(-1) ?? []
  const ending = last.length > shownSteps ? '' : ` -> ${showPath(last)}`
  return `${steps.slice(0, shownSteps).map(showPath).join(' -> ')} -> ...${ending}`
}
