// What happened to a namespace: its versions, and what changed between two of them. Works over any store.
import type { Dtab } from '../naming/dtab.ts'
import { type DtabDiffLine, diffDtabs } from '../naming/dtab-diff.ts'
import { NamingError } from '../naming/errors.ts'
import { parseDtab } from '../naming/parse.ts'
import type { Store, Version, VersionSummary } from './store.ts'

/** One page, newest first; `next` is the `before` of the next page, absent on the last. */
export interface HistoryPage {
  readonly versions: readonly VersionSummary[]
  readonly next?: number
}

export interface VersionDiff {
  readonly from: Version
  readonly to: Version
  /** Every entry in order; a tombstone counts as an empty dtab. */
  readonly lines: readonly DtabDiffLine[]
}

/** Rejects with dtab-not-found for a namespace that never was. */
export async function readHistory(
  store: Store,
  namespace: string,
  { before, limit }: { readonly before?: number; readonly limit: number },
): Promise<HistoryPage> {
  const query = { limit: limit + 1, ...(before !== undefined && { before }) }
  const versions = await store.history(namespace, query)
  if (versions.length === 0 && (await store.head(namespace)) === undefined) throw neverWas(namespace)
  const page = versions.slice(0, limit)
  const last = page.at(-1)
  return { versions: page, ...(versions.length > limit && last !== undefined && { next: last.version }) }
}

/** Rejects with dtab-not-found, version-not-found. */
export async function readVersion(store: Store, namespace: string, version: number): Promise<Version> {
  const found = await store.version(namespace, version)
  if (found !== undefined) return found
  if ((await store.head(namespace)) === undefined) throw neverWas(namespace)
  throw new NamingError('version-not-found', `'${namespace}' has no version ${version}.`, {
    detail: { namespace, version },
  })
}

/** Rejects with dtab-not-found, version-not-found, store-corrupt when a stored text does not parse. */
export async function diffVersions(store: Store, namespace: string, from: number, to: number): Promise<VersionDiff> {
  const [before, after] = await Promise.all([readVersion(store, namespace, from), readVersion(store, namespace, to)])
  return { from: before, to: after, lines: diffDtabs(dtabOfVersion(before), dtabOfVersion(after)) }
}

/** The parsed text; empty for a tombstone. Throws store-corrupt when it does not parse. */
export function dtabOfVersion({ namespace, version, text }: Version): Dtab {
  const parsed = parseDtab(text ?? '')
  if (parsed.ok) return parsed.value
  throw new NamingError(
    'store-corrupt',
    `Version ${version} of '${namespace}' does not parse: ${parsed.error.message}`,
    {
      detail: { ...parsed.error.detail, namespace, version },
    },
  )
}

function neverWas(namespace: string): NamingError {
  return new NamingError('dtab-not-found', `There is no namespace '${namespace}'.`, { detail: { namespace } })
}
