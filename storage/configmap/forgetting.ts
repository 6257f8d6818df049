// What goes for good: old versions and old idempotency keys. A key outlives its version, so that a repeated write is not made
// a second time because its version was dropped.
import type { ConfigMaps } from './config-maps.ts'
import { importedOver } from './facts.ts'
import { type Link, realVersions } from './real-versions.ts'
import { isExisting, isLost } from './store-error.ts'
import { encodeKeyDrop, encodeKeyRest, type VersionObject } from './version-object.ts'

/** Calls at a time. */
const parallelCalls = 8

export async function dropVersions(maps: ConfigMaps, namespace: string, numbers: readonly number[]): Promise<void> {
  if (numbers.length === 0) return
  const dropped = new Set(numbers)
  const versions = await maps.listMade(namespace)
  const remove = ({ version, uid }: VersionObject): Promise<void> => maps.removeVersion(namespace, version, { uid })
  // First, so that a crash between leaves no version that was never a head without the one that tells so.
  await inParallel(passedOver(versions, dropped), remove)
  const listed = versions.filter(({ version }) => dropped.has(version))
  await inParallel(listed, async version => {
    await keepKey(maps, namespace, version)
    await remove(version)
  })
}

/** Versions that imports have put and that do not lead up to the newest head, if there is one. */
export function leftOvers(versions: readonly VersionObject[], newest: Link | undefined): readonly VersionObject[] {
  const real = new Set(newest === undefined ? [] : realVersions(versions, newest))
  return versions.filter(version => version.over === importedOver && !real.has(version))
}

/** One that was put anew meanwhile stays. */
export async function removeAsSeen(
  maps: ConfigMaps,
  namespace: string,
  versions: readonly VersionObject[],
): Promise<void> {
  await inParallel(versions, ({ version, uid }) => unlessLost(maps.removeVersion(namespace, version, { uid })))
}

/** Those of versions that were made before then, in ms since 1970. */
export async function dropKeys(maps: ConfigMaps, before: number): Promise<void> {
  const keyed = await maps.listAllKeyed()
  const old = keyed.filter(({ version }) => version.meta.time < before)
  await inParallel(old, async ({ name, version }) => {
    if (version.isDropped) await maps.removeByName(name)
    else await unlessLost(maps.patchByName(name, encodeKeyDrop(version)))
  })
}

async function keepKey(maps: ConfigMaps, namespace: string, version: VersionObject): Promise<void> {
  const rest = encodeKeyRest(namespace, version)
  if (rest === undefined) return
  await maps.create(rest).catch((error: unknown) => {
    if (!isExisting(error)) throw error
  })
}

/** Versions that were never heads, and of which only those to be dropped tell that. */
function passedOver(versions: readonly VersionObject[], dropped: ReadonlySet<number>): readonly VersionObject[] {
  const spans = versions.filter(({ version, meta }) => dropped.has(version) && meta.parent < version - 1)
  return versions.filter(({ version }) => spans.some(span => span.meta.parent < version && version < span.version))
}

/** One that is gone has lost its key with it. */
async function unlessLost(change: Promise<void>): Promise<void> {
  try {
    await change
  } catch (error) {
    if (!isLost(error)) throw error
  }
}

/** Some at a time; rejects with the first failure, when no other is under way. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += parallelCalls) {
    const outcomes = await Promise.allSettled(items.slice(at, at + parallelCalls).map(work))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
}
