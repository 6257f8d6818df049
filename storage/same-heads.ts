// When two heads, or two listings, are the same to those who watch them. A number alone does not say it: a backend that was
// restored from an older copy may give the same number to another text.
import type { NamespaceSummary, Version } from './store.ts'

/** Cheap when they are the same object; texts are compared only when all else is equal. */
export function sameVersion(a: Version | undefined, b: Version | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined) return false
  return a.version === b.version && a.meta.time === b.meta.time && a.meta.author === b.meta.author && a.text === b.text
}

export function sameSummaries(a: readonly NamespaceSummary[], b: readonly NamespaceSummary[]): boolean {
  return a === b || (a.length === b.length && a.every((x, i) => sameSummary(x, b[i])))
}

function sameSummary(a: NamespaceSummary, b: NamespaceSummary | undefined): boolean {
  if (a === b) return true
  return (
    a.namespace === b?.namespace &&
    a.version === b.version &&
    a.time === b.time &&
    a.bytes === b.bytes &&
    a.deleted === b.deleted &&
    a.author === b.author
  )
}
