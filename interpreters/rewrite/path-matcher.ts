// Patterns over paths, `/{a}/x-{b}/*`, and names made from what they captured. As linkerd 1's PathMatcher, odd corners included.
import { type Path, showLabel } from '../../naming/path.ts'

/** What the variables of a pattern stood for. */
export type Captures = ReadonlyMap<string, string>

export interface PathMatcher {
  /** The captures of a path that begins as the pattern says; undefined when it does not. Throws where linkerd does. */
  match(path: Path): Captures | undefined
}

const anyLabel = Symbol('any label')

/** A literal segment, `*`, or literal parts around variables. */
type Segment =
  | string
  | typeof anyLabel
  | { readonly literals: readonly string[]; readonly variables: readonly string[] }

/** Segments are separated by `/`; the path may be longer, and what is beyond the pattern is dropped. */
export function createPathMatcher(pattern: string): PathMatcher {
  const texts = pattern.split('/')
  while (texts.at(-1) === '') texts.pop()
  while (texts[0] === '') texts.shift()
  const segments = texts.map(segmentOf)
  return { match: path => matchAll(segments, path) }
}

/** `{var}` replaced by what was captured; unknown ones stay as they are. */
export function fillIn(name: string, captures: Captures): string {
  return name.replace(/\{([^{}]*)\}/g, (whole, variable: string) => captures.get(variable) ?? whole)
}

function segmentOf(text: string): Segment {
  if (text === '*') return anyLabel
  const parts = text.split(/\{([^{}]*)\}/)
  if (parts.length === 1) return text
  return {
    literals: parts.filter((_, index) => index % 2 === 0),
    variables: parts.filter((_, index) => index % 2 === 1),
  }
}

function matchAll(segments: readonly Segment[], path: Path): Captures | undefined {
  const captures = new Map<string, string>()
  for (const [index, segment] of segments.entries()) {
    const label = path[index]
    if (segment === anyLabel) {
      if (label === undefined) throw new Error('the path is shorter than its pattern')
      continue
    }
    if (label === undefined) return undefined
    if (!matchOne(segment, showLabel(label), captures)) return undefined
  }
  return captures
}

function matchOne(segment: Exclude<Segment, typeof anyLabel>, shown: string, captures: Map<string, string>): boolean {
  if (typeof segment === 'string') return segment === shown
  const values = capture(segment.literals, shown)
  if (values === undefined) return false
  for (const [index, variable] of segment.variables.entries()) captures.set(variable, values[index] ?? '')
  return true
}

/**
 * What stands between the literals when each variable in turn takes as much as it can: found from the right, so that
 * no label can make it slow. The first literal may begin anywhere; what follows the last one does not matter.
 */
function capture(literals: readonly string[], shown: string): readonly string[] | undefined {
  const starts: number[] = []
  let end = shown.length
  for (const literal of literals.slice(1).reverse()) {
    end = end < literal.length ? -1 : shown.lastIndexOf(literal, end - literal.length)
    if (end < 0) return undefined
    starts.unshift(end)
  }
  const first = shown.indexOf(literals[0] ?? '')
  if (first < 0) return undefined
  const values: string[] = []
  let from = first + (literals[0] ?? '').length
  for (const [index, start] of starts.entries()) {
    if (start < from) return undefined
    values.push(shown.slice(from, start))
    from = start + (literals[index + 1] ?? '').length
  }
  return values
}
