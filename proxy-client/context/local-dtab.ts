// The dtab of one request: what its chain of calls carries (l5d-ctx-dtab), then what its client adds (l5d-dtab), which wins.
import type { Dtab } from '../../naming/dtab.ts'
import { formatDentry } from '../../naming/format.ts'
import { parseDtab } from '../../naming/parse.ts'
import { headerValues, type RawHeaders } from '../headers/raw-headers.ts'

/** text is exact, canonical and one line, so that equal dtabs have equal texts and it fits a header; empty for no entries. */
export type LocalDtab =
  | { readonly kind: 'dtab'; readonly text: string }
  /** Names the header and the place in it. */
  | { readonly kind: 'malformed'; readonly reason: string }

const none: LocalDtab = { kind: 'dtab', text: '' }

/** Header texts seen lately are not parsed again: a chain sends the same few on every request. */
const maxRemembered = 1000

/** A reader with its memory; every router has its own. */
export function createLocalDtabReader(): (headers: RawHeaders) => LocalDtab {
  const remembered = new Map<string, LocalDtab>()
  return headers => {
    const context = headerValues(headers, 'l5d-ctx-dtab')
    const override = headerValues(headers, 'l5d-dtab')
    if (context.length === 0 && override.length === 0) return none
    const key = JSON.stringify([context, override])
    const known = remembered.get(key)
    if (known !== undefined) return known
    const read = readLocalDtab(context, override)
    if (remembered.size >= maxRemembered) remembered.clear()
    remembered.set(key, read)
    return read
  }
}

function readLocalDtab(context: readonly string[], override: readonly string[]): LocalDtab {
  const entries: Dtab[number][] = []
  for (const [name, values] of [
    ['l5d-ctx-dtab', context],
    ['l5d-dtab', override],
  ] as const) {
    for (const value of values) {
      const parsed = parseDtab(value)
      if (!parsed.ok) return { kind: 'malformed', reason: explain(name, parsed.error) }
      entries.push(...parsed.value)
    }
  }
  return entries.length === 0 ? none : { kind: 'dtab', text: entries.map(formatDentry).join(';') }
}

function explain(
  header: string,
  error: { readonly message: string; readonly detail: { readonly position?: { readonly column: number } } },
): string {
  const { position } = error.detail
  const place = position === undefined ? '' : ` at column ${position.column}`
  return `the header ${header} is not a dtab${place}: ${error.message}`
}
