// The followed range as heads: what is known of each namespace's two keys, and what changed of it. Holds no texts.
import type { EtcdEntry, RangeFollower } from '../../clients/etcd/cluster.ts'
import type { HeadFollower } from '../shared/shared-backend.ts'
import { etcdFailure } from './etcd-failure.ts'
import type { Layout } from './layout.ts'
import { type KeysOfHead, nothing, sightingFromKeys, withRecord, withText } from './stored-head.ts'

type KnownHeads = Map<string, KeysOfHead>

/** Reports to `follower` what a range of heads and texts says. */
export function createHeadFollow(layout: Layout, follower: HeadFollower): RangeFollower {
  let known: KnownHeads = new Map()
  let reading: KnownHeads = new Map()

  /** The namespace that the key belongs to. */
  const learn = (heads: KnownHeads, key: string, entry: EtcdEntry | undefined): string | undefined => {
    const found = layout.identify(key)
    if (found === undefined) return undefined
    const { kind, namespace } = found
    const before = heads.get(namespace) ?? nothing
    const now = kind === 'text' ? withText(before, entry) : withRecord(before, entry)
    if (now.textRevision === 0 && now.headRevision === 0) heads.delete(namespace)
    else heads.set(namespace, now)
    return namespace
  }

  return {
    began: () => {
      reading = new Map()
    },
    read: entries => {
      for (const entry of entries) learn(reading, entry.key, entry)
    },
    reset: (revision, isRewound) => {
      known = reading
      follower.reset(
        [...known].map(([namespace, keys]) => sightingFromKeys(namespace, keys, revision)),
        revision,
        isRewound,
      )
    },
    changed: events => {
      const touched = new Map<string, number>()
      for (const { kind, entry } of events) {
        const namespace = learn(known, entry.key, kind === 'put' ? entry : undefined)
        if (namespace !== undefined) touched.set(namespace, entry.modRevision)
      }
      follower.changed(
        [...touched].map(([namespace, order]) => sightingFromKeys(namespace, known.get(namespace) ?? nothing, order)),
      )
    },
    contact: () => follower.contact(),
    failed: (error, retryAt) => follower.failed(etcdFailure(error), retryAt),
  }
}
