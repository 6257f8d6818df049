// The dtab of one request: what its chain of calls carries (l5d-ctx-dtab), then what its client adds (l5d-dtab), which wins.
import type { Dentry } from '../../naming/dtab.ts'
import { formatDentry } from '../../naming/format.ts'
import { parseDtab } from '../../naming/parse.ts'
import { ownCopy, Remembered } from '../cache/remembered.ts'
import { Field, type Fields } from '../http1/fields.ts'

/** text is exact, canonical and one line, so that equal dtabs have equal texts and it fits a header; empty for no entries. */
export type LocalDtab =
  | { readonly kind: 'dtab'; readonly text: string }
  /** Names the header and the place in it. */
  | { readonly kind: 'malformed'; readonly reason: string }

const none: LocalDtab = { kind: 'dtab', text: '' }

/** A reader with its memory, for a chain sends the same few dtabs on every request; every router has its own. */
export function createLocalDtabReader(): (fields: Fields) => LocalDtab {
  const remembered = new Remembered<LocalDtab>()
  return fields => {
    if ((fields.present & (Field.dtab | Field.contextDtab)) === 0) return none
    const context = fields.all('l5d-ctx-dtab')
    const override = fields.all('l5d-dtab')
    // No value has a line end in it.
    const key = `${context.join('\n')}\n\n${override.join('\n')}`
    return remembered.get(key) ?? remembered.set(ownCopy(key), readLocalDtab(context, override))
  }
}

function readLocalDtab(context: readonly string[], override: readonly string[]): LocalDtab {
  const entries: Dentry[] = []
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
