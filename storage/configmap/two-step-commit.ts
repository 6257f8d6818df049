// A commit: the immutable object of the new version is created, then the head is moved to it by its resourceVersion. The
// creation takes the number, the move is what counts: what has not moved the head was never written.

import { NamingError } from '../../naming/errors.ts'
import type { Clock } from '../../watch/clock.ts'
import { pause } from '../../watch/pause.ts'
import type { Commit, CommitOutcome, HeadSighting } from '../shared/shared-backend.ts'
import type { Version } from '../store.ts'
import type { ConfigMaps } from './config-maps.ts'
import { factsOf, importedOver, textHash } from './facts.ts'
import { leftOvers, removeAsSeen } from './forgetting.ts'
import { encodeEmptyHead, encodeMove, type HeadObject, recordFrom } from './head-object.ts'
import { isExisting, isLost, isRefused } from './store-error.ts'
import type { StoredObject } from './stored-object.ts'
import { encodeVersion, type Making } from './version-object.ts'

/** Who has made a version moves the head to it, or takes it back, within some milliseconds; after these waits that was cut off. */
export const waitsMs: readonly number[] = [5, 10, 20, 40, 80, 160]

/** Others may change a version while it is taken back, this often in a row. */
const maxRaces = 5

export interface CommitOptions {
  readonly maps: ConfigMaps
  readonly clock: Clock
}

/** Rejects as the client does when nobody knows what became of it. */
export async function commitInTwoSteps(commit: Commit, options: CommitOptions): Promise<CommitOutcome> {
  const { over, version, fingerprint } = commit
  const { maps } = options
  if (over.record === undefined) await maps.createTrace(version.namespace)
  const headVersion = await placeHead(over, options)
  if (headVersion === undefined) return { kind: 'moved' }
  if (over.record === undefined && commit.endsImport !== true) await dropLeftOvers(version.namespace, headVersion, maps)
  const making = { over: headVersion, ...(fingerprint !== undefined && { fingerprint }) }
  const made = await takeNumber(version, making, options)
  if ('kind' in made) return made
  return await moveHead(headVersion, version, made, options)
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

/** Of imports: nothing that they have put counts in a namespace that never had a head. */
async function dropLeftOvers(namespace: string, headVersion: string, maps: ConfigMaps): Promise<void> {
  const { versions } = await maps.listVersions(namespace, headVersion)
  await removeAsSeen(maps, namespace, leftOvers(versions, undefined))
}

/** Creates the version; gives it, or why there is none. */
async function takeNumber(
  version: Version,
  making: Making,
  { maps, clock }: CommitOptions,
): Promise<StoredObject | CommitOutcome> {
  const { namespace } = version
  const object = encodeVersion(version, making)
  // Whoever holds a later number has waited for the first one too: there may be many that were cut off.
  const isFirst = version.version === version.meta.parent + 1
  for (const waitMs of isFirst ? waitsMs : waitsMs.slice(0, 1)) {
    try {
      return await maps.create(object)
    } catch (error) {
      if (!isExisting(error)) throw error
    }
    if ((await maps.findHeadVersion(namespace)) !== making.over) return { kind: 'moved' }
    const holder = await maps.findVersionFacts(namespace, version.version)
    if (holder?.isConfirmed === true) return { kind: 'moved' }
    if (holder?.isUnused === true || holder?.over === importedOver) return { kind: 'taken' }
    await pause(clock, waitMs)
  }
  return isFirst ? { kind: 'taken' } : { kind: 'taken', next: await freeNumber(version, making.over, maps) }
}

/** The first one above this version that nobody has; one that is known as unused looks free here, and is not. */
async function freeNumber({ namespace, version }: Version, headVersion: string, maps: ConfigMaps): Promise<number> {
  const { versions } = await maps.listVersions(namespace, headVersion)
  const held = new Set(versions.map(each => each.version))
  let free = version + 1
  while (held.has(free)) free++
  return free
}

/** Takes the version back when the head is not as expected, or the server refuses the move. */
async function moveHead(
  headVersion: string,
  version: Version,
  made: StoredObject,
  { maps }: CommitOptions,
): Promise<CommitOutcome> {
  const { namespace } = version
  const move = (isCramped: boolean): Promise<StoredObject> =>
    maps.patchHead(namespace, encodeMove(headVersion, version, { isCramped }))
  try {
    // What kubectl noted on the object may leave no room for our annotations.
    const { resourceVersion } = await move(false).catch(error => {
      if (isRefused(error) && error.status === 422) return move(true)
      throw error
    })
    return written(version, resourceVersion, Number(resourceVersion))
  } catch (error) {
    if (!isRefused(error)) throw error
    const outcome = await takeBack(version, made, maps)
    if (outcome.kind === 'moved' && !isLost(error)) throw error
    return outcome
  }
}

/**
 * Somebody may have confirmed our version meanwhile, because the head was changed from outside: then it was written, and
 * changed after that. Rejects when it cannot be taken back, for then nobody knows how others see it.
 */
async function takeBack(version: Version, made: StoredObject, maps: ConfigMaps): Promise<CommitOutcome> {
  const { namespace, version: number } = version
  const head = await maps.findHead(namespace)
  const before = `before ${head?.resourceVersion}`
  // A proxy may have sent the move twice: then it was refused because it was made.
  if (head !== undefined && isHead(version, head)) return written(version, before, 0)
  // A number below the head that nobody has must not look free: see NamespaceReader.
  const isPassed = (head?.facts?.version ?? 0) > number
  let { resourceVersion } = made
  for (let race = 0; race < maxRaces; race++) {
    const isTaken = isPassed
      ? await maps.markUnused(namespace, number, resourceVersion)
      : await maps.removeUnconfirmed(namespace, number, resourceVersion)
    if (isTaken) return { kind: 'moved' }
    const found = await maps.findVersionFacts(namespace, number)
    if (found?.uid !== made.uid) return { kind: 'moved' }
    if (found.isConfirmed) return written(version, before, 0)
    resourceVersion = found.resourceVersion
  }
  throw new NamingError('store-unavailable', `Others change version ${number} of '${namespace}' each time.`)
}

function isHead({ version, meta, text }: Version, { facts }: HeadObject): boolean {
  return facts?.version === version && facts.meta.time === meta.time && facts.hash === textHash(text)
}

function written(version: Version, token: string, order: number): CommitOutcome {
  const record = recordFrom(factsOf(version))
  const { namespace } = version
  return {
    kind: 'written',
    sighting: { namespace, ...(record !== undefined && { record }), isOurs: true, token, order },
  }
}
