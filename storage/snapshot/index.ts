// The door of the snapshot: a store that a server can start from while the store itself is away.
import { createHash } from 'node:crypto'
import type { Store } from '../store.ts'
import { type SnapshotOptions, SnapshotStore } from './snapshot-store.ts'

export type { ServedSnapshot } from './outage.ts'
export type { SnapshotOptions, SnapshotStore } from './snapshot-store.ts'

/**
 * The store with a snapshot on the local disk. Closing it closes the store. Never rejects: a directory that cannot be
 * used is logged, and the store then serves as it would alone.
 */
export async function withSnapshot(store: Store, options: SnapshotOptions): Promise<SnapshotStore> {
  const wrapped = new SnapshotStore(store, options)
  await wrapped.begin()
  return wrapped
}

/** Names a store by what of its configuration says which one it is: another prefix or cluster is another store. */
export function snapshotOrigin(identity: unknown): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex')
}
