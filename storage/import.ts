// Brings the versions of one namespace into a store, or says why not. Works over any store; what was brought in before is
// told from what stands in the way. Knows no format.
import { NamingError } from '../naming/errors.ts'
import { hasVersions } from './imported-versions.ts'
import type { Store, Version } from './store.ts'

/**
 * What to do with a namespace that has other versions here. refuse: nothing. skip: nothing, and it is no refusal. write: the
 * newest text becomes one new version on top of what is here; the history stays as it is here.
 */
export type ExistingPolicy = 'refuse' | 'skip' | 'write'

/**
 * imported: with its history. identical: all of it is here already. written: as one version. skipped: left as it is here.
 * refused: nothing of it came in.
 */
export type ImportOutcome = 'imported' | 'identical' | 'written' | 'skipped' | 'refused'

export interface ImportResult {
  readonly namespace: string
  readonly outcome: ImportOutcome
  /** The head here afterwards; absent when there is none, and when nothing was to be written. */
  readonly version?: number
  /** Why it was refused. */
  readonly error?: NamingError
}

export interface ImportOptions {
  readonly store: Store
  readonly existing: ExistingPolicy
  /** Reads and compares everything and writes nothing. */
  readonly isDryRun: boolean
  /** Who says so, for what `write` writes. */
  readonly by: { readonly author: string; readonly verified: boolean; readonly address?: string }
}

/** What is wrong with the namespace, not with the import as a whole or with the store. */
const refusals: readonly string[] = ['bad-namespace', 'bad-dtab', 'dtab-too-large', 'dtab-exists']

/**
 * `versions`, oldest first, throws what is wrong with one of them; it may be left before its end. Rejects when the store fails
 * or the import is malformed. A namespace comes in whole or not at all, so the same import may be repeated until it is done.
 */
export async function importNamespace(
  namespace: string,
  versions: AsyncIterable<Version>,
  options: ImportOptions,
): Promise<ImportResult> {
  try {
    const head = await options.store.head(namespace)
    if (head !== undefined) return await meetExisting(head, versions, options)
    return await bringIn(namespace, versions, options)
  } catch (error) {
    const known = NamingError.from(error)
    if (!refusals.includes(known.code)) throw error
    if (known.code === 'dtab-exists' && options.existing === 'skip') return { namespace, outcome: 'skipped' }
    return { namespace, outcome: 'refused', error: known }
  }
}

async function bringIn(
  namespace: string,
  versions: AsyncIterable<Version>,
  { store, isDryRun }: ImportOptions,
): Promise<ImportResult> {
  if (!isDryRun) {
    const head = await store.importHistory(namespace, versions)
    return { namespace, outcome: 'imported', version: head.version }
  }
  for await (const _ of versions);
  return { namespace, outcome: 'imported' }
}

async function meetExisting(
  head: Version,
  versions: AsyncIterable<Version>,
  options: ImportOptions,
): Promise<ImportResult> {
  const { namespace, version } = head
  const { newest, isKnown } = await compare(head, versions, options.store)
  const isPresent = newest.text === head.text && options.existing === 'write'
  if (isPresent || (isKnown && (options.existing !== 'write' || newest.version === version)))
    return { namespace, outcome: 'identical', version }
  if (options.existing === 'refuse') throw hasVersions(namespace, version)
  if (options.existing === 'skip' || newest.text === undefined) return { namespace, outcome: 'skipped', version }
  return writeNewest(head, { ...newest, text: newest.text }, options)
}

/** isKnown: the newest is here, and so are the others as far as they are still kept. What came on top here makes no difference. */
async function compare(
  head: Version,
  versions: AsyncIterable<Version>,
  store: Store,
): Promise<{ readonly newest: Version; readonly isKnown: boolean }> {
  let newest: Version | undefined
  let isKnown = true
  let isNewestHere = false
  for await (const version of versions) {
    newest = version
    if (!isKnown) continue
    const here = version.version === head.version ? head : await store.version(version.namespace, version.version)
    isNewestHere = here !== undefined
    isKnown = here === undefined || isSame(here, version)
  }
  if (newest === undefined) throw new NamingError('bad-request', `The import of '${head.namespace}' holds no version.`)
  return { newest, isKnown: isKnown && isNewestHere }
}

function isSame(a: Version, b: Version): boolean {
  const { meta: x } = a
  const { meta: y } = b
  return (
    a.version === b.version &&
    a.text === b.text &&
    x.author === y.author &&
    x.verified === y.verified &&
    x.message === y.message &&
    x.time === y.time &&
    x.parent === y.parent &&
    x.address === y.address
  )
}

/** A message never grows beyond this, however often it is exported and imported. */
const maxMessageLength = 4_096

/** Another who writes meanwhile, perhaps the same import, is seen: the text is written once. */
async function writeNewest(
  head: Version,
  newest: Version & { readonly text: string },
  options: ImportOptions,
): Promise<ImportResult> {
  const { namespace } = head
  const { store, isDryRun, by } = options
  if (isDryRun) return { namespace, outcome: 'written' }
  const { author, message } = newest.meta
  const why = message === '' ? '' : `: ${message}`
  try {
    const { written } = await store.write({
      namespace,
      text: newest.text,
      expect: { kind: 'version', versions: [head.version] },
      ...by,
      message: `import of version ${newest.version} by ${author}${why}`.slice(0, maxMessageLength).toWellFormed(),
    })
    return { namespace, outcome: 'written', version: written.version }
  } catch (error) {
    if (NamingError.from(error).code !== 'dtab-version-mismatch') throw error
    const present = await store.head(namespace)
    if (present === undefined) throw error
    if (present.text === newest.text) return { namespace, outcome: 'identical', version: present.version }
    return writeNewest(present, newest, options)
  }
}
