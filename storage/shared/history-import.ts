// A namespace brought in with its past: old versions first, and all of it becomes visible with the last, in one commit.

import { NamingError } from '../../naming/errors.ts'
import { hasVersions, importedVersions } from '../imported-versions.ts'
import type { Version } from '../store.ts'
import type { SettledHead, SettledHeads } from './settled-heads.ts'
import type { SharedBackend } from './shared-backend.ts'

export interface HistoryImportOptions {
  readonly backend: SharedBackend
  readonly settled: SettledHeads
  /** Told when what was begun could not be taken back; nobody sees it, and the next import writes over it. */
  readonly onLeftOver: (error: unknown) => void
}

/** Versions that are written at one time: so many texts are held. */
const putAtOnce = 8

/** As Store.importHistory. Call it in line for the namespace only. */
export async function importHistory(
  namespace: string,
  versions: AsyncIterable<Version> | Iterable<Version>,
  options: HistoryImportOptions,
): Promise<Version> {
  const { backend, settled, onLeftOver } = options
  const over = await settled.settle(namespace)
  if (over.head !== undefined) throw hasVersions(namespace, over.head.version)
  const put: number[] = []
  try {
    const last = await putAllButLast(importedVersions(namespace, versions, backend.maxDtabBytes), backend, put)
    await commitLast(last, over, options)
    return last
  } catch (error) {
    if (put.length > 0) await backend.dropVersions(namespace, put).catch(onLeftOver)
    throw error
  }
}

async function putAllButLast(
  versions: AsyncIterable<Version>,
  backend: SharedBackend,
  put: number[],
): Promise<Version> {
  let last: Version | undefined
  let waiting: Version[] = []
  for await (const version of versions) {
    if (last !== undefined) waiting.push(last)
    last = version
    if (waiting.length < putAtOnce) continue
    await putAll(waiting, backend, put)
    waiting = []
  }
  if (last === undefined) throw new NamingError('internal', 'An import that was checked held no version.')
  await putAll(waiting, backend, put)
  return last
}

/** Settles once none is under way any more, so that what was written can be dropped again. */
async function putAll(versions: readonly Version[], backend: SharedBackend, put: number[]): Promise<void> {
  put.push(...versions.map(({ version }) => version))
  const outcomes = await Promise.allSettled(versions.map(version => backend.putVersion(version)))
  const failure = outcomes.find(outcome => outcome.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

async function commitLast(
  version: Version,
  { over }: SettledHead,
  { backend, settled }: HistoryImportOptions,
): Promise<void> {
  const { namespace } = version
  let outcome = await settled.commit({ over, version })
  if (outcome.kind === 'taken') {
    // Left over from an import that was cut off.
    await backend.dropVersions(namespace, [version.version])
    outcome = await settled.commit({ over, version })
  }
  if (outcome.kind === 'written') return
  const { head } = await settled.settle(namespace)
  throw hasVersions(namespace, head?.version ?? version.version)
}
