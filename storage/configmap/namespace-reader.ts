// What stands in the cluster for a namespace, and which of its versions were heads. Reads only.
//
// A head that somebody else may have changed last is taken at its word only when its own version is there and none was made on
// top of it before that change: it may be an old export that was put back.
import { isOlder } from '../../clients/kubernetes/resource-version.ts'
import { NamingError } from '../../naming/errors.ts'
import type { HeadRecord, HeadSighting, StoredHead } from '../shared/shared-backend.ts'
import type { HistoryQuery, Version, VersionSummary } from '../store.ts'
import type { KeyRecord } from '../write-rules.ts'
import type { ConfigMaps } from './config-maps.ts'
import { importedOver } from './facts.ts'
import { type HeadObject, noHead, recordFrom, storedHead } from './head-object.ts'
import { realVersions } from './real-versions.ts'
import { decodeVersionObject, summaryFrom, type VersionObject, versionFrom } from './version-object.ts'

/** So many versions are looked at one by one; more are listed. */
const fewVersions = 4
/** A head may come and go while it is read, this often in a row. */
const maxRaces = 5

export class NamespaceReader {
  readonly #maps: ConfigMaps

  constructor(maps: ConfigMaps) {
    this.#maps = maps
  }

  async readHead(namespace: string): Promise<StoredHead> {
    for (let race = 0; race < maxRaces; race++) {
      const head = await this.#maps.findHead(namespace)
      const read = head === undefined ? await this.#withoutHead(namespace) : await this.#whatStands(namespace, head)
      if (read !== undefined) return read
    }
    throw new NamingError('store-unavailable', `The head of '${namespace}' comes and goes while it is read.`)
  }

  /** Undefined for a version that never was a head. */
  async readVersion(namespace: string, version: number): Promise<Version | undefined> {
    const [head, object] = await Promise.all([this.readHead(namespace), this.#maps.findVersion(namespace, version)])
    const facts = object === undefined ? undefined : decodeVersionObject(object)
    if (object === undefined || facts === undefined || !(await this.#isReal(namespace, facts, head))) return undefined
    return versionFrom(namespace, object, facts)
  }

  async readHistory(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]> {
    const { before = Number.POSITIVE_INFINITY, limit } = query
    const head = await this.readHead(namespace)
    return (await this.listReal(namespace, head))
      .filter(({ version }) => version < before)
      .slice(0, limit)
      .map(facts => summaryFrom(namespace, facts))
  }

  /** Undefined too for a key whose write has not moved the head: it is not made until it has. */
  async readKey(namespace: string, key: string, asOf?: HeadSighting): Promise<KeyRecord | undefined> {
    const isStanding = asOf !== undefined && isNumber(asOf.token)
    const notOlderThan = isStanding ? asOf.token : await this.#maps.findHeadVersion(namespace)
    if (notOlderThan === undefined && (await this.readHead(namespace)).record === undefined) return undefined
    const keyed = [...(await this.#maps.listKeyed(namespace, key, notOlderThan))].sort((a, b) => b.version - a.version)
    if (keyed.length === 0) return undefined
    const isReal = await this.#judgeOf(namespace, keyed)
    for (const facts of keyed) {
      const { version, meta, fingerprint = '' } = facts
      if (facts.isDropped || (await isReal(facts))) return { fingerprint, version, time: meta.time }
    }
    return undefined
  }

  /** Says which of these were heads. A write that was cut off again and again leaves many with its key: they are judged by one list. */
  async #judgeOf(
    namespace: string,
    keyed: readonly VersionObject[],
  ): Promise<(facts: VersionObject) => Promise<boolean> | boolean> {
    const head = await this.readHead(namespace)
    if (keyed.length <= fewVersions) return facts => this.#isReal(namespace, facts, head)
    const real = new Set((await this.listReal(namespace, head)).map(({ version }) => version))
    return ({ version }) => real.has(version)
  }

  /** Whether this version is a head or was one, as of this sighting. */
  async isReal(namespace: string, version: number, head: HeadSighting): Promise<boolean> {
    const facts = await this.#maps.findVersionFacts(namespace, version)
    return facts !== undefined && (await this.#isReal(namespace, facts, head))
  }

  /** Every version that is a head or was one, newest first, without texts. */
  async listReal(namespace: string, { record, token }: HeadSighting): Promise<readonly VersionObject[]> {
    if (record === undefined) return []
    const { versions } = await this.#maps.listVersions(namespace, isNumber(token) ? token : undefined)
    return realVersions(versions, record)
  }

  /** Undefined when it must be read again. */
  async #withoutHead(namespace: string): Promise<StoredHead | undefined> {
    const { version, versions } = await this.#maps.listVersions(namespace)
    const newest = newestHead(versions)
    // Asked for again, so that the list is surely not older than a head that was made meanwhile.
    if ((await this.#maps.findHeadVersion(namespace)) !== undefined) return undefined
    if (newest !== undefined && !(await this.#maps.confirm(namespace, newest))) return undefined
    const record = recordFrom(newest)
    return headless(namespace, record, { order: version, token: noHead(record) })
  }

  /** Undefined when it must be read again. */
  async #whatStands(namespace: string, head: HeadObject): Promise<StoredHead | undefined> {
    const { facts, resourceVersion, isWhole, isTouched, content } = head
    const said = recordFrom(facts)
    if (isWhole && !isTouched) return storedHead(namespace, head, said, true)
    if (facts !== undefined && (await this.#isNewest(namespace, facts.version, resourceVersion)))
      return storedHead(namespace, head, said, isWhole || (said === undefined && content === undefined))
    const { versions } = await this.#maps.listVersions(namespace, resourceVersion)
    const newest = newestHead(versions.filter(({ madeAt }) => isOlder(madeAt, resourceVersion)))
    if (said !== undefined && said.version > (newest?.version ?? 0)) return storedHead(namespace, head, said, false)
    if (newest !== undefined && !(await this.#maps.confirm(namespace, newest))) return undefined
    return storedHead(namespace, head, recordFrom(newest), newest === undefined && content === undefined)
  }

  /** Whether the head is not an old one that was put back: see above. */
  async #isNewest(namespace: string, version: number, headVersion: string): Promise<boolean> {
    const own = version === 0 ? Promise.resolve(true) : this.#maps.findVersionFacts(namespace, version)
    const [isThere, hasFollower] = await Promise.all([own, this.#hasFollower(namespace, version, headVersion)])
    return isThere !== undefined && !hasFollower
  }

  /** A version that was made before the head changed last, with a greater number. There are no gaps before the first free one. */
  async #hasFollower(namespace: string, version: number, headVersion: string): Promise<boolean> {
    const isFollower = ({ isUnused, madeAt }: VersionObject): boolean => !isUnused && isOlder(madeAt, headVersion)
    for (let next = version + 1; next <= version + fewVersions; next++) {
      const found = await this.#maps.findVersionFacts(namespace, next)
      if (found === undefined) return false
      if (isFollower(found)) return true
    }
    const { versions } = await this.#maps.listVersions(namespace, headVersion)
    return versions.some(found => found.version > version && isFollower(found))
  }

  /**
   * The first version above that was made over this one or a later one tells: over this one, then it was the head; over a
   * later one, then that took its place. One that an import has put is looked for in the whole chain, for those above may be
   * left over as well.
   */
  async #isReal(namespace: string, { version, isUnused, over }: VersionObject, head: HeadSighting): Promise<boolean> {
    const { record } = head
    if (record === undefined || isUnused || version > record.version) return false
    if (over === importedOver) return await this.#isListedReal(namespace, version, head)
    for (let next = version + 1; next < record.version; next++) {
      const above = next > version + fewVersions ? undefined : await this.#maps.findVersionFacts(namespace, next)
      if (above === undefined) return await this.#isListedReal(namespace, version, head)
      if (above.meta.parent >= version) return above.meta.parent === version
    }
    return version === record.version || record.meta.parent === version
  }

  async #isListedReal(namespace: string, version: number, head: HeadSighting): Promise<boolean> {
    const real = await this.listReal(namespace, head)
    return real.some(each => each.version === version)
  }
}

function headless(
  namespace: string,
  record: HeadRecord | undefined,
  { token, order }: { readonly token: string; readonly order: string },
): StoredHead {
  return {
    namespace,
    ...(record !== undefined && { record }),
    isOurs: record === undefined || record.deleted,
    token,
    order: Number(order),
  }
}

/**
 * The newest of them, which counts as a head that was. It may be one that is under way or was cut off: nobody knows that of it
 * once the head has been changed by others. So it is confirmed before it is told, and from then on it can no longer be taken
 * back. A history that came in without its last version is none.
 */
function newestHead(versions: readonly VersionObject[]): VersionObject | undefined {
  const made = versions.filter(({ over, isUnused }) => over !== importedOver && !isUnused)
  return made.reduce<VersionObject | undefined>((a, b) => (a !== undefined && a.version > b.version ? a : b), undefined)
}

const isNumber = (token: string): boolean => /^[0-9]+$/.test(token)
