// A commit: the immutable object of the new version is created, then the head is moved to it by its resourceVersion. The
// creation takes the number, the move is what counts: what has not moved the head was never written.
import type { Clock } from '../../watch/clock.ts'
import type { Commit, CommitOutcome, HeadSighting } from '../shared-backend.ts'
import type { Version } from '../store.ts'
import type { ConfigMaps } from './config-maps.ts'
import { importedOver } from './facts.ts'
import { decodeHead, encodeEmptyHead, encodeMove, storedHead } from './head-object.ts'
import type { NamespaceReader } from './namespace-reader.ts'
import { isExisting, isLost, isRefused } from './store-error.ts'
import type { StoredObject } from './stored-object.ts'
import { encodeVersion } from './version-object.ts'

/** Another's write that has made its version moves the head within some milliseconds; after these waits it was cut off. */
const waitsMs = [10, 20, 40, 80, 160]

export interface CommitOptions {
  readonly maps: ConfigMaps
  readonly reader: NamespaceReader
  readonly clock: Clock
}

/** Rejects as the client does when nobody knows what became of it. */
export async function commitInTwoSteps(commit: Commit, options: CommitOptions): Promise<CommitOutcome> {
  const { over, version, fingerprint } = commit
  const { maps } = options
  const headVersion = await placeHead(over, options)
  if (headVersion === undefined) return { kind: 'moved' }
  if (over.record === undefined) await dropLeftOvers(version, headVersion, maps)
  const making = { over: headVersion, ...(fingerprint !== undefined && { fingerprint }) }
  try {
    await maps.create(encodeVersion(version, making))
  } catch (error) {
    if (isExisting(error)) return await whatHolds(version, headVersion, options)
    throw error
  }
  const moved = await moveHead(headVersion, version, options)
  return moved === undefined ? await takeBack(version, options) : written(version, moved)
}

/** The resourceVersion of the head to be moved, which is made when there is none; undefined when another was faster. */
async function placeHead(over: HeadSighting, { maps }: CommitOptions): Promise<string | undefined> {
  const { namespace, record, token } = over
  if (/^[0-9]+$/.test(token)) return token
  try {
    return (await maps.create(encodeEmptyHead(namespace, record))).resourceVersion
  } catch (error) {
    if (isExisting(error)) return undefined
    throw error
  }
}

/** Of imports that were cut off; what leads up to this version stays. */
async function dropLeftOvers(version: Version, headVersion: string, maps: ConfigMaps): Promise<void> {
  const { namespace } = version
  const { versions } = await maps.listVersions(namespace, headVersion)
  const parents = new Map(versions.map(each => [each.version, each.meta.parent]))
  const kept = new Set<number>()
  for (let at = version.meta.parent; parents.has(at) && !kept.has(at); at = parents.get(at) ?? 0) kept.add(at)
  const dropped = versions.filter(each => each.over === importedOver && !kept.has(each.version))
  for (const { version: number, uid } of dropped) await maps.removeVersion(namespace, number, { uid })
}

/** What a number that is given already means: another's write that is under way, or one that was cut off. */
async function whatHolds(
  version: Version,
  headVersion: string,
  { maps, clock }: CommitOptions,
): Promise<CommitOutcome> {
  const { namespace } = version
  const holder = await maps.findVersionFacts(namespace, version.version)
  const mayMove = holder !== undefined && !holder.isUnused && holder.over === headVersion
  for (const waitMs of mayMove ? waitsMs : [0]) {
    if (waitMs > 0) await new Promise<void>(resolve => clock.after(waitMs, resolve))
    if ((await maps.findHeadVersion(namespace)) !== headVersion) return { kind: 'moved' }
  }
  return { kind: 'taken' }
}

/** The head as it became; undefined when it was not as expected. Rejects after having taken back what was refused. */
async function moveHead(
  headVersion: string,
  version: Version,
  { maps }: CommitOptions,
): Promise<StoredObject | undefined> {
  const { namespace } = version
  const move = (isCramped: boolean): Promise<StoredObject> =>
    maps.patchHead(namespace, encodeMove(headVersion, version, { isCramped }))
  try {
    // What kubectl noted on the object may leave no room for our annotations.
    return await move(false).catch(error => {
      if (isRefused(error) && error.status === 422) return move(true)
      throw error
    })
  } catch (error) {
    if (isLost(error)) return undefined
    if (isRefused(error)) await maps.markUnused(namespace, version.version)
    throw error
  }
}

/**
 * Somebody has changed the head since. When an edit from outside was taken in on top of our version meanwhile, it counts as
 * written; else it is made known as unused. Rejects when that fails, for then nobody knows how others see it.
 */
async function takeBack(version: Version, { maps, reader }: CommitOptions): Promise<CommitOutcome> {
  const { namespace, version: number, meta, text } = version
  const head = await reader.readHead(namespace)
  const isTaken = (head.record?.version ?? 0) > number && (await reader.isReal(namespace, number, head))
  if (!isTaken) {
    await maps.markUnused(namespace, number)
    return { kind: 'moved' }
  }
  const bytes = text === undefined ? 0 : Buffer.byteLength(text)
  const record = { version: number, meta, deleted: text === undefined, bytes }
  return { kind: 'written', sighting: { namespace, record, isOurs: true, token: `before ${head.token}`, order: 0 } }
}

function written(version: Version, moved: StoredObject): CommitOutcome {
  const { namespace, meta, text } = version
  const head = decodeHead(moved, namespace)
  const bytes = text === undefined ? 0 : Buffer.byteLength(text)
  const record = { version: version.version, meta, deleted: text === undefined, bytes }
  const { content, ...sighting } = storedHead(namespace, { ...head, content: undefined }, record, true)
  return { kind: 'written', sighting }
}
