// ConfigMaps of one Kubernetes namespace as a backend that several servers share. Composes its parts; decides nothing.
import type { KubernetesCluster, KubernetesObjects } from '../../clients/kubernetes/cluster.ts'
import type { Log } from '../../runtime/log.ts'
import type { Clock } from '../../watch/clock.ts'
import type { ClaimTable } from '../claims.ts'
import type {
  Commit,
  CommitOutcome,
  HeadFollower,
  PresenceFollower,
  SharedBackend,
  StoredHead,
} from '../shared-backend.ts'
import type { HistoryQuery, Version, VersionSummary } from '../store.ts'
import type { KeyRecord } from '../write-rules.ts'
import { ConfigMaps } from './config-maps.ts'
import { importedOver } from './facts.ts'
import { followHeadObjects } from './head-follow.ts'
import { LeaseClaims } from './lease-claims.ts'
import { NamespaceReader } from './namespace-reader.ts'
import { isExisting, isLost, storeError } from './store-error.ts'
import { commitInTwoSteps } from './two-step-commit.ts'
import { encodeKeyDrop, encodeVersion, type VersionObject } from './version-object.ts'

/** A ConfigMap may hold 1 MiB, keys and all; etcd takes requests of 1.5 MiB. */
export const maxConfigMapDtabBytes = 700 * 1024

/** Calls at a time where there are many to be made. */
const parallelCalls = 8

export interface ConfigMapBackendOptions {
  readonly kind: string
  /** Closed with the backend. */
  readonly cluster: KubernetesCluster & { readonly objects: KubernetesObjects }
  readonly kubernetesNamespace: string
  readonly clock: Clock
  readonly log: Log
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

  readKey(namespace: string, key: string): Promise<KeyRecord | undefined> {
    return said(this.#reader.readKey(namespace, key))
  }

  commit(commit: Commit): Promise<CommitOutcome> {
    const { clock } = this.#options
    return said(commitInTwoSteps(commit, { maps: this.#maps, reader: this.#reader, clock }))
  }

  putVersion(version: Version): Promise<void> {
    return said(this.#put(version))
  }

  dropVersions(namespace: string, versions: readonly number[]): Promise<void> {
    return said(this.#drop(namespace, new Set(versions)))
  }

  dropKeys(before: number): Promise<void> {
    return said(this.#dropKeys(before))
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
  }

  async #put(version: Version): Promise<void> {
    const object = encodeVersion(version, { over: importedOver })
    try {
      await this.#maps.create(object)
    } catch (error) {
      if (!isExisting(error)) throw error
      await this.#maps.removeVersion(version.namespace, version.version)
      await this.#maps.create(object)
    }
  }

  async #drop(namespace: string, dropped: ReadonlySet<number>): Promise<void> {
    if (dropped.size === 0) return
    const { versions } = await this.#maps.listVersions(namespace)
    const remove = ({ version, uid }: VersionObject): Promise<void> =>
      this.#maps.removeVersion(namespace, version, { uid })
    // First, so that a crash between leaves no version that was never a head without the one that tells so.
    await inParallel(passedOver(versions, dropped), remove)
    await inParallel(
      versions.filter(({ version }) => dropped.has(version)),
      remove,
    )
  }

  async #dropKeys(before: number): Promise<void> {
    const keyed = await this.#maps.listAllKeyed()
    const old = keyed.filter(({ version }) => version.meta.time < before)
    await inParallel(old, async ({ name, version }) => {
      // One that is gone has lost its key with it.
      await this.#maps.patchByName(name, encodeKeyDrop(version)).catch(error => {
        if (!isLost(error)) throw error
      })
    })
  }
}

/** Versions that were never heads, and of which only those to be dropped tell that. */
function passedOver(versions: readonly VersionObject[], dropped: ReadonlySet<number>): readonly VersionObject[] {
  const spans = versions.filter(({ version, meta }) => dropped.has(version) && meta.parent < version - 1)
  return versions.filter(
    ({ version, over }) =>
      over !== importedOver && spans.some(span => span.meta.parent < version && version < span.version),
  )
}

/** Some at a time; rejects with the first failure, when no other is under way. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += parallelCalls) {
    const outcomes = await Promise.allSettled(items.slice(at, at + parallelCalls).map(work))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
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
