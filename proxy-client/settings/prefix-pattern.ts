// The prefixes by which the configuration picks clients and services, as linkerd writes them: `/#/io.l5d.consul/*/{service}`.
import { z } from 'zod'
import { type Path, showLabel } from '../../naming/path.ts'

/** Whether a path begins as the prefix says. */
export type PrefixPattern = (path: Path) => boolean

type MatchLabel = (shown: string) => boolean

/**
 * Text of a pattern, made ready. A segment is a label as it is shown, `*` for any, or text with `{names}` in it, each for one
 * or more characters. A slash at the end says nothing.
 */
export const prefixPattern = z
  .string()
  .regex(/^\/(?:[^/\s]+\/)*[^/\s]*$/, { error: 'not a prefix such as /#/io.l5d.consul/*/{service}', abort: true })
  .transform((text, context): PrefixPattern => {
    const segments = text.split('/').filter(segment => segment !== '')
    for (const segment of segments) {
      if (!wellFormed.test(segment))
        context.addIssue({ code: 'custom', message: `"${segment}" has a brace without a name` })
    }
    return matchAll(segments.map(createMatch))
  })

const wellFormed = /^(?:[^{}]|\{[A-Za-z_][A-Za-z0-9_]*\})+$/
const capture = /\{[A-Za-z_][A-Za-z0-9_]*\}/

function createMatch(segment: string): MatchLabel {
  if (segment === '*') return () => true
  const parts = segment.split(capture)
  if (parts.length === 1) return shown => shown === segment
  const pattern = new RegExp(`^${parts.map(RegExp.escape).join('.+')}$`, 's')
  return shown => pattern.test(shown)
}

function matchAll(labels: readonly MatchLabel[]): PrefixPattern {
  return path => path.length >= labels.length && labels.every((match, i) => match(showLabel(path[i] ?? '')))
}
