// A namespace brought in with its past: old versions first, and all of it becomes visible with the last, in one commit.

import { NamingError } from '../naming/errors.ts'
import { hasVersions, importedVersions } from './imported-versions.ts'
import type { SettledHead, SettledHeads } from './settled-heads.ts'
import type { SharedBackend } from './shared-backend.ts'
import type { Version } from './store.ts'

export interface HistoryImportOptions {
  readonly backend: SharedBackend
  readonly settled: SettledHeads
  /** Told when what was begun could not be taken back; nobody sees it, and the next import writes over it. */
  readonly onLeftOver: (error: unknown) => void
}

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
  for await (const version of versions) {
    if (last !== undefined) {
      put.push(last.version)
      await backend.putVersion(last)
    }
    last = version
  }
  if (last === undefined) throw new NamingError('internal', 'An import that was checked held no version.')
  return last
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
