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
  const parts = segment.split(capture)
  if (parts.length === 1) return shown => shown === segment
  const pattern = new RegExp(`^${parts.map(RegExp.escape).join('.+')}$`, 's')
  return shown => pattern.test(shown)
}
