// Takes in the history of a namespace in parts that fit into memory and into one transaction each.
// The parts are seen by nobody until the last; knows nothing of the table.
import { NamingError } from '../../naming/errors.ts'
import { ImportLease } from '../import-lease.ts'
import type { Store, Version } from '../store.ts'
import { dtabBytes } from '../write-rules.ts'
import type { ImportPart } from './version-table.ts'

/** A part ends at this many versions or bytes of text. */
const partVersions = 500
const partBytes = 4 * 1024 * 1024

export interface ImportPorts {
  /** Resolves once the part is durable. */
  put(part: ImportPart): Promise<void>
  /** Drops what was put so far. */
  abandon(): Promise<void>
  readonly lease: Store['lease']
}

/** The last of `versions`, which are what `importedVersions` lets through. Rejects with store-busy while another imports this namespace. */
export async function importHistory(
  namespace: string,
  versions: AsyncIterable<Version>,
  ports: ImportPorts,
): Promise<Version> {
  const lease = new ImportLease(namespace, ports.lease)
  let last: Version | undefined
  let isBegun = false
  try {
    for await (const part of partsOf(namespace, versions)) {
      const isAlone = part.isFirst && part.isLast
      if (!isAlone) await lease.hold()
      isBegun = !isAlone
      await ports.put(part)
      last = part.versions.at(-1)
    }
  } catch (error) {
    if (isBegun && lease.isHeld) await ports.abandon()
    throw error
  } finally {
    await lease.release()
  }
  if (last === undefined) throw new NamingError('internal', 'An import without versions was let through.')
  return last
}

async function* partsOf(namespace: string, versions: AsyncIterable<Version>): AsyncGenerator<ImportPart> {
  let part: Version[] = []
  let bytes = 0
  let total = 0
  let isFirst = true
  for await (const version of versions) {
    bytes += dtabBytes(version.text)
    if (part.length === partVersions || (part.length > 0 && bytes > partBytes)) {
      yield { namespace, versions: part, isFirst, isLast: false, total }
      isFirst = false
      part = []
      bytes = dtabBytes(version.text)
    }
    part.push(version)
    total++
  }
  yield { namespace, versions: part, isFirst, isLast: true, total }
}
