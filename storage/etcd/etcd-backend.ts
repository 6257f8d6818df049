// etcd as a backend of the shared store: puts its parts together.
import type { EtcdCluster } from '../../clients/etcd/cluster.ts'
import type { Clock } from '../../watch/clock.ts'
import type { SharedBackend } from '../shared/shared-backend.ts'
import { dropKeys, readKey } from './answers.ts'
import { createPresenceFollow, EtcdClaims } from './etcd-claims.ts'
import { asking } from './etcd-failure.ts'
import { createHeadFollow } from './head-follow.ts'
import { commitHead, readHead } from './heads.ts'
import { Layout } from './layout.ts'
import { dropLeftOvers, dropVersions, putVersion, readHistory, readVersion } from './versions.ts'

/** Two copies of a text, head and archive, go into one request, which etcd takes up to 1.5 MiB. */
export const maxEtcdDtabBytes = 700 * 1024

export interface EtcdBackendOptions {
  readonly kind: string
  readonly cluster: EtcdCluster
  /** Without a slash at its end. */
  readonly pathPrefix: string
  readonly clock: Clock
}

/** Takes the cluster over: closing the backend closes it. */
export function createEtcdBackend({ kind, cluster, pathPrefix, clock }: EtcdBackendOptions): SharedBackend {
  const layout = new Layout(pathPrefix)
  const { textsFrom, ...followed } = layout.followed
  return {
    kind,
    maxDtabBytes: maxEtcdDtabBytes,
    readHead: namespace => asking(() => readHead(cluster, layout, namespace)),
    readVersion: (namespace, version) => asking(() => readVersion(cluster, layout, namespace, version)),
    readHistory: (namespace, query) => asking(() => readHistory(cluster, layout, namespace, query)),
    readKey: (namespace, key) => asking(() => readKey(cluster, layout, namespace, key)),
    commit: commit => asking(() => commitHead(cluster, layout, commit)),
    putVersion: version => asking(() => putVersion(cluster, layout, version)),
    dropLeftOvers: namespace => asking(() => dropLeftOvers(cluster, layout, namespace)),
    dropVersions: (namespace, versions) => asking(() => dropVersions(cluster, layout, namespace, versions)),
    dropKeys: before => asking(() => dropKeys(cluster, layout, before)),
    followHeads: follower =>
      cluster.follow({ ...followed, keysOnlyFrom: textsFrom }, createHeadFollow(layout, follower)),
    followPresence: follower => cluster.follow(layout.presence, createPresenceFollow(clock, follower)),
    claims: new EtcdClaims(cluster, layout, clock),
    close: async () => cluster.close(),
  }
}
