// The ConfigMaps of one Kubernetes namespace, by what they are to this store. Every call rejects with what the client rejects with.
import type { KubernetesObjects, Preconditions } from '../../clients/kubernetes/cluster.ts'
import { labels } from './facts.ts'
import { decodeHead, encodeTrace, type HeadObject } from './head-object.ts'
import { headName, keyRestName, shortHash, versionName } from './object-names.ts'
import { isExisting, isLost } from './store-error.ts'
import { decodeObject, type StoredObject } from './stored-object.ts'
import { decodeVersionObject, encodeConfirmation, type VersionObject } from './version-object.ts'

export interface VersionListing {
  /** The resourceVersion as of which it was read. */
  readonly version: string
  readonly versions: readonly VersionObject[]
}

export class ConfigMaps {
  readonly path: string
  readonly #objects: KubernetesObjects

  constructor(objects: KubernetesObjects, kubernetesNamespace: string) {
    this.#objects = objects
    this.path = `/api/v1/namespaces/${kubernetesNamespace}/configmaps`
  }

  async findHead(namespace: string): Promise<HeadObject | undefined> {
    const found = await this.#objects.find(this.#at(headName(namespace)))
    return found === undefined ? undefined : decodeHead(decodeObject(found), namespace)
  }

  /** Its resourceVersion; undefined when there is none. */
  async findHeadVersion(namespace: string): Promise<string | undefined> {
    const found = await this.#objects.findMetadata(this.#at(headName(namespace)))
    return found === undefined ? undefined : decodeObject(found).resourceVersion
  }

  /** With its text. */
  async findVersion(namespace: string, version: number): Promise<StoredObject | undefined> {
    const found = await this.#objects.find(this.#at(versionName(namespace, version)))
    return found === undefined ? undefined : decodeObject(found)
  }

  /** Without its text. */
  async findVersionFacts(namespace: string, version: number): Promise<VersionObject | undefined> {
    const found = await this.#objects.findMetadata(this.#at(versionName(namespace, version)))
    return found === undefined ? undefined : decodeVersionObject(decodeObject(found))
  }

  /** Those of a namespace that are not known as unused, in any order; all there are at `notOlderThan` at least. */
  async listVersions(namespace: string, notOlderThan?: string): Promise<VersionListing> {
    return await this.#list(namespace, `${labels.dtab}=version`, { notOlderThan })
  }

  /** The same with those that are known as unused. */
  async listMade(namespace: string): Promise<readonly VersionObject[]> {
    return (await this.#list(namespace, `${labels.dtab} in (version,unused)`, { notOlderThan: undefined })).versions
  }

  /** Those made with this key that were heads or may have been, dropped ones included. */
  async listKeyed(namespace: string, key: string, notOlderThan?: string): Promise<readonly VersionObject[]> {
    const { versions } = await this.#list(namespace, `${labels.key}=${shortHash(key)}`, { notOlderThan, areFew: true })
    return versions.filter(({ meta, isUnused }) => !isUnused && meta.idempotencyKey === key)
  }

  async #list(
    namespace: string,
    label: string,
    { notOlderThan, areFew }: { readonly notOlderThan: string | undefined; readonly areFew?: boolean },
  ): Promise<VersionListing> {
    const { version, items } = await this.#objects.listMetadata(this.path, {
      labelSelector: `${label},${labels.namespace}=${shortHash(namespace)}`,
      ...(notOlderThan !== undefined && { notOlderThan }),
      ...(areFew !== undefined && { areFew }),
    })
    const versions = items.map(item => decodeNamed(namespace, item)).filter(each => each !== undefined)
    return { version, versions }
  }

  /** Those of all namespaces that were made with an idempotency key which has not been dropped. */
  async listAllKeyed(): Promise<readonly { readonly name: string; readonly version: VersionObject }[]> {
    const labelSelector = labels.key
    const { items } = await this.#objects.listMetadata(this.path, { labelSelector })
    return items.flatMap(item => {
      const object = decodeObject(item)
      const version = decodeVersionObject(object)
      return version === undefined ? [] : [{ name: object.name, version }]
    })
  }

  async create(object: object): Promise<StoredObject> {
    return decodeObject(await this.#objects.create(this.path, object))
  }

  /** Harmless when there is one. */
  async createTrace(namespace: string): Promise<void> {
    await this.create(encodeTrace(namespace)).catch((error: unknown) => {
      if (!isExisting(error)) throw error
    })
  }

  async patchHead(namespace: string, change: object): Promise<StoredObject> {
    return decodeObject(await this.#objects.patch(this.#at(headName(namespace)), change))
  }

  /** False when somebody has changed or removed it since. */
  async confirm(namespace: string, version: VersionObject): Promise<boolean> {
    if (version.isConfirmed) return true
    const change = this.#objects.patch(this.#at(versionName(namespace, version.version)), encodeConfirmation(version))
    return await unlessLost(change)
  }

  async patchByName(name: string, change: object): Promise<void> {
    await this.#objects.patch(this.#at(name), change)
  }

  async removeByName(name: string): Promise<void> {
    await this.#objects.remove(this.#at(name))
  }

  /** What never became a head keeps its place, so that its number is not given to another. False when it was changed or removed since. */
  async markUnused(namespace: string, version: number, resourceVersion: string): Promise<boolean> {
    const change = { metadata: { resourceVersion, labels: { [labels.dtab]: 'unused' } } }
    return await unlessLost(this.#objects.patch(this.#at(versionName(namespace, version)), change))
  }

  /** False when it was changed or removed since it was made. */
  async removeUnconfirmed(namespace: string, version: number, resourceVersion: string): Promise<boolean> {
    return await unlessLost(this.removeVersion(namespace, version, { resourceVersion }))
  }

  /** Harmless when there is none. */
  async removeVersion(namespace: string, version: number, preconditions?: Preconditions): Promise<void> {
    await this.#objects.remove(this.#at(versionName(namespace, version)), preconditions)
  }

  #at(name: string): string {
    return `${this.path}/${name}`
  }
}

/** Undefined too for a copy that somebody has made under another name, labels and all. */
function decodeNamed(namespace: string, item: unknown): VersionObject | undefined {
  const object = decodeObject(item)
  const version = decodeVersionObject(object)
  if (version === undefined) return undefined
  const name = version.isDropped ? keyRestName(namespace, version.version) : versionName(namespace, version.version)
  return object.name === name ? version : undefined
}

/** Whether the change was made; false when the object is not as expected, or is gone. */
async function unlessLost(change: Promise<unknown>): Promise<boolean> {
  try {
    await change
    return true
  } catch (error) {
    if (isLost(error)) return false
    throw error
  }
}
