// Tells the loser of a race what has happened meanwhile: who wrote, when, and what changed. Works over any store.
import { diffDtabs, formatDtabDiff } from '../naming/dtab-diff.ts'
import { NamingError } from '../naming/errors.ts'
import { parseDtab } from '../naming/parse.ts'
import { orThrow, type Result, success } from '../naming/result.ts'
import { readVersion } from './history.ts'
import type { Expectation, Store, Version } from './store.ts'

/** The diff in an error stops after this many characters. */
const maxDiffChars = 16_384

/** What changed from the expected version to the present one, as `+` and `-` lines; `isCut` when it was too long to send. */
export interface ConflictDiff {
  readonly from: number
  readonly to: number
  readonly text: string
  readonly isCut: boolean
}

/** The changes between two stored texts as `+` and `-` lines. */
export type DiffTexts = (before: string, after: string) => Result<string> | Promise<Result<string>>

/** Reads both texts at once, whatever their size. */
export function diffTexts(before: string, after: string): Result<string> {
  const from = parseDtab(before)
  if (!from.ok) return from
  const to = parseDtab(after)
  if (!to.ok) return to
  return success(formatDtabDiff(diffDtabs(from.value, to.value), { changesOnly: true }))
}

/** A dtab-version-mismatch with what a person needs to go on; any other error as it is. Never rejects. */
export async function explainMismatch(
  store: Store,
  write: { readonly namespace: string; readonly expect: Expectation },
  error: NamingError,
  compare: DiffTexts = diffTexts,
): Promise<NamingError> {
  if (error.code !== 'dtab-version-mismatch' || write.expect.kind !== 'version') return error
  const { namespace, expect } = write
  const head = await store.head(namespace).catch(() => undefined)
  if (head === undefined) return error
  const diff = await diffFromExpected(store, { namespace, expected: expect.versions, head }, compare)
  const { author, time, message } = head.meta
  const expected = expect.versions.length === 0 ? 'another version' : `version ${expect.versions.join(', ')}`
  const state = head.text === undefined ? `was deleted (version ${head.version})` : `is at version ${head.version}`
  return new NamingError(error.code, `The dtab of '${namespace}' ${state}, by ${author}; ${expected} was expected.`, {
    cause: error,
    detail: {
      namespace,
      presentVersion: head.version,
      deleted: head.text === undefined,
      author,
      time,
      message,
      expectedVersions: expect.versions,
      ...(diff && { diff }),
    },
  })
}

interface Passed {
  readonly namespace: string
  readonly expected: readonly number[]
  readonly head: Version
}

async function diffFromExpected(
  store: Store,
  { namespace, expected, head }: Passed,
  compare: DiffTexts,
): Promise<ConflictDiff | undefined> {
  const from = expected.findLast(version => version > 0 && version < head.version)
  if (from === undefined) return undefined
  try {
    const before = await readVersion(store, namespace, from)
    const text = orThrow(await compare(before.text ?? '', head.text ?? ''))
    return { from, to: head.version, text: text.slice(0, maxDiffChars), isCut: text.length > maxDiffChars }
  } catch (error) {
    if (error instanceof NamingError) return undefined
    throw error
  }
}
