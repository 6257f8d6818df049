// What happened to a namespace: its versions, page by page or one of them. Works over any store.
import { NamingError } from '../naming/errors.ts'
import type { Store, Version, VersionSummary } from './store.ts'

/** One page, newest first; `next` is the `before` of the next page, absent on the last. */
export interface HistoryPage {
  readonly versions: readonly VersionSummary[]
  readonly next?: number
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
  const head = await store.head(namespace)
  if (head === undefined) throw neverWas(namespace)
  const isDropped = version < head.version
  const said = isDropped
    ? `Version ${version} of '${namespace}' is not here: old versions are dropped (storage.history), and a number may be passed over.`
    : `'${namespace}' has no version ${version}.`
  throw new NamingError('version-not-found', said, {
    detail: { namespace, version, presentVersion: head.version, isDropped },
  })
}

function neverWas(namespace: string): NamingError {
  return new NamingError('dtab-not-found', `There is no namespace '${namespace}'.`, { detail: { namespace } })
}
