// The prefixes by which the configuration picks clients and services, as linkerd writes them: `/#/io.l5d.consul/*/{service}`.
import { z } from 'zod'
import { type Path, showLabel } from '../../naming/path.ts'

/**
 * Text of a prefix, as it is written: a configuration stays plain data. A segment is a label as it is shown, `*` for any, or
 * text with `{names}` in it, each for one or more characters. A slash at the end says nothing.
 */
export const prefixText = z
  .string()
  .regex(/^\/(?:[^/\s]+\/)*[^/\s]*$/, { error: 'not a prefix such as /#/io.l5d.consul/*/{service}', abort: true })
  .refine(text => segmentsOf(text).every(segment => wellFormed.test(segment)), 'there is a brace without a name')

const wellFormed = /^(?:[^{}]|\{[A-Za-z_][A-Za-z0-9_]*\})+$/
const capture = /\{[A-Za-z_][A-Za-z0-9_]*\}/

/** Whether a path begins as the prefix says. */
export type PrefixPattern = (path: Path) => boolean

/** Makes a checked text ready. */
export function createPrefixPattern(text: string): PrefixPattern {
  const matches = segmentsOf(text).map(createLabelMatch)
  return path => path.length >= matches.length && matches.every((match, i) => match(showLabel(path[i] ?? '')))
}

function segmentsOf(text: string): readonly string[] {
  return text.split('/').filter(segment => segment !== '')
}

function createLabelMatch(segment: string): (shown: string) => boolean {
  if (segment === '*') return () => true
  const [first = '', ...others] = segment.split(capture)
  const last = others.pop()
  if (last === undefined) return shown => shown === segment
  return shown => {
    const end = shown.length - last.length
    const at = shown.startsWith(first) ? endOfAll(others, shown, first.length) : undefined
    return at !== undefined && at < end && shown.endsWith(last)
  }
}

/**
 * Where the last of the texts ends, each as early as it can be with a character before it; undefined when one is missing. Not
 * a regular expression: labels are what strangers send, and one of many dots would keep it busy for minutes.
 */
function endOfAll(texts: readonly string[], shown: string, from: number): number | undefined {
  let at = from
  for (const text of texts) {
    const found = shown.indexOf(text, at + 1)
    if (found === -1) return undefined
    at = found + text.length
  }
  return at
}
