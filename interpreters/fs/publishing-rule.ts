// When a reading of a file may be believed at once, and when it may be half of something. Pure.
import { type EndpointLines, endpointKey } from './endpoint-file.ts'

/** What was published last. `unknown`: nothing yet. */
export type Held =
  | { readonly kind: 'unknown' | 'missing' | 'directory' }
  | { readonly kind: 'file'; readonly realPath: string; readonly endpoints: ReadonlySet<string> }

/** What was read now. `lines` is absent when the text is malformed; `ageMs` is the time since its last modification. */
export type Seen =
  | { readonly kind: 'missing' | 'directory' }
  | {
      readonly kind: 'file'
      readonly realPath: string
      readonly text: string
      readonly lines?: EndpointLines
      readonly ageMs: number
    }

/** What events told since the last publication; `wrote` when a write under this name was seen or cannot be excluded. */
export interface Evidence {
  readonly renamed: boolean
  readonly wrote: boolean
}

/** How long a doubtful reading must stay the same before it is believed, in milliseconds. */
export const settleMs = 50

/** Whether to publish at once; otherwise the reading must stay the same for `settleMs`. */
export function isWhole(seen: Seen, held: Held, evidence: Evidence): boolean {
  switch (seen.kind) {
    case 'directory':
      return true
    case 'missing':
      return held.kind === 'unknown' || held.kind === 'missing'
    case 'file':
      return isSwapped(seen, held, evidence) || isCompleteText(seen, held) || isOld(seen, held)
  }
}

type SeenFile = Seen & { readonly kind: 'file' }

/** Another file took the name: by a symbolic link that leads elsewhere now, or by a rename. */
function isSwapped(seen: SeenFile, held: Held, evidence: Evidence): boolean {
  if (held.kind === 'file' && held.realPath !== seen.realPath) return true
  // A new file that is being written shows a change as soon as it has content; one that was moved here shows none.
  return evidence.renamed && !evidence.wrote && seen.text !== ''
}

/** A write that ends a line and takes nothing away harms nobody, even if more follows. */
function isCompleteText(seen: SeenFile, held: Held): boolean {
  if (seen.lines === undefined || !seen.text.endsWith('\n')) return false
  if (held.kind !== 'file') return true
  const present = new Set(seen.lines.map(endpointKey))
  return held.endpoints.isSubsetOf(present)
}

/** At first sight nobody saw the writing; what was last written long enough ago is whole. */
function isOld(seen: SeenFile, held: Held): boolean {
  return held.kind === 'unknown' && seen.ageMs >= settleMs
}
