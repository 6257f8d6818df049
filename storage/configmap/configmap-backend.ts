// ConfigMaps of one Kubernetes namespace as a backend that several servers share. Composes its parts; decides nothing.

import type { KubernetesCluster, KubernetesObjects } from '../../clients/kubernetes/cluster.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'
import { pause } from '../../watch/pause.ts'
import type { ClaimTable } from '../claims.ts'
import { hasHead } from '../imported-versions.ts'
import type {
  Commit,
  CommitOutcome,
  HeadFollower,
  HeadSighting,
  PresenceFollower,
  SharedBackend,
  StoredHead,
} from '../shared/shared-backend.ts'
import type { HistoryQuery, Version, VersionSummary } from '../store.ts'
import type { KeyRecord } from '../write-rules.ts'
import { ConfigMaps } from './config-maps.ts'
import { importedOver } from './facts.ts'
import { dropKeys, dropVersions, leftOvers, removeAsSeen } from './forgetting.ts'
import { followHeadObjects } from './head-follow.ts'
import { LeaseClaims } from './lease-claims.ts'
import { NamespaceReader } from './namespace-reader.ts'
import { isExisting, storeError } from './store-error.ts'
import { commitInTwoSteps, waitsMs } from './two-step-commit.ts'
import { encodeVersion } from './version-object.ts'

/** A ConfigMap may hold 1 MiB, keys and all; etcd takes requests of 1.5 MiB. */
export const maxConfigMapDtabBytes = 700 * 1024

export interface ConfigMapBackendOptions {
  readonly kind: string
  /** Closed with the backend. */
  readonly cluster: KubernetesCluster & { readonly objects: KubernetesObjects }
  readonly kubernetesNamespace: string
  readonly clock: Clock
  readonly log: Log
  /** Called once, when the backend is closed. */
  readonly onClose?: () => void
}

export class ConfigMapBackend implements SharedBackend {
  readonly kind: string
  readonly maxDtabBytes = maxConfigMapDtabBytes
  readonly claims: ClaimTable
  readonly #options: ConfigMapBackendOptions
  readonly #maps: ConfigMaps
  readonly #reader: NamespaceReader
  readonly #leases: LeaseClaims

  constructor(options: ConfigMapBackendOptions) {
    const { kind, cluster, kubernetesNamespace, clock } = options
    this.kind = kind
    this.#options = options
    this.#maps = new ConfigMaps(cluster.objects, kubernetesNamespace)
    this.#reader = new NamespaceReader(this.#maps)
    this.#leases = new LeaseClaims({ cluster, objects: cluster.objects, clock, kubernetesNamespace })
    this.claims = this.#leases
  }

  readHead(namespace: string): Promise<StoredHead> {
    return said(this.#reader.readHead(namespace))
  }

  readVersion(namespace: string, version: number): Promise<Version | undefined> {
    return said(this.#reader.readVersion(namespace, version))
  }

  readHistory(namespace: string, query: HistoryQuery): Promise<readonly VersionSummary[]> {
    return said(this.#reader.readHistory(namespace, query))
  }

  readKey(namespace: string, key: string, asOf?: HeadSighting): Promise<KeyRecord | undefined> {
    return said(this.#reader.readKey(namespace, key, asOf))
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    const { clock } = this.#options
    return said(commitInTwoSteps(commit, { maps: this.#maps, clock }))
  }

  putVersion(version: Version): Promise<void> {
    return said(this.#put(version))
  }

  dropLeftOvers(namespace: string): Promise<void> {
    return said(this.#dropLeftOvers(namespace))
  }

  dropVersions(namespace: string, versions: readonly number[]): Promise<void> {
    return said(dropVersions(this.#maps, namespace, versions))
  }

  dropKeys(before: number): Promise<void> {
    return said(dropKeys(this.#maps, before))
  }

  followHeads(follower: HeadFollower): () => void {
    const { cluster, log, kind } = this.#options
    const onMisplaced = (name: string, reason: string): void =>
      log.warn({ store: kind, configMap: name, reason }, 'a ConfigMap with the label of a dtab is not taken for one')
    return followHeadObjects({ cluster, path: this.#maps.path, follower, onMisplaced })
  }

  followPresence(follower: PresenceFollower): () => void {
    return this.#leases.followPresence(follower)
  }

  async close(): Promise<void> {
    this.#leases.close()
    this.#options.cluster.close()
    this.#options.onClose?.()
  }

  async #dropLeftOvers(namespace: string): Promise<void> {
    const versions = await this.#maps.listMade(namespace)
    // The head is read last: what it leads to by then was made to count.
    const { record } = await this.#reader.readHead(namespace)
    await removeAsSeen(this.#maps, namespace, leftOvers(versions, record))
  }

  async #put(version: Version): Promise<void> {
    const object = encodeVersion(version, { over: importedOver })
    try {
      await this.#maps.create(object)
    } catch (error) {
      if (!isExisting(error)) throw error
      await this.#makeRoom(version)
      await this.#maps.create(object)
    }
  }

  /** Removes what an import has put there, or a write that was cut off; one that is under way has a head before the last wait ends. */
  async #makeRoom({ namespace, version }: Version): Promise<void> {
    for (const waitMs of waitsMs) {
      const found = await this.#maps.findVersionFacts(namespace, version)
      if ((await this.#reader.readHead(namespace)).record !== undefined) throw hasHead(namespace)
      if (found === undefined) return
      if (found.over === importedOver) return await this.#maps.removeVersion(namespace, version, { uid: found.uid })
      await pause(this.#options.clock, waitMs)
    }
    await this.#maps.removeVersion(namespace, version)
  }
}

/** Rejects with NamingErrors only. */
async function said<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw storeError(error)
  }
}
