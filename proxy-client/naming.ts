// What the proxy needs of a source of names: bindings and replica sets as cells. Knows no wire protocol.
import type { BoundTree } from '../naming/bound-tree.ts'
import type { Path } from '../naming/path.ts'
import type { ReplicaSet } from '../naming/replica-set.ts'
import type { Cell } from '../watch/cell.ts'

/** A logical name. `dtab` is the exact text of a local dtab, absent for none; it wins over the namespace's. */
export interface NameQuery {
  readonly namespace: string
  readonly path: Path
  readonly dtab?: string
}

/** Gives cells that are fed while they are watched. A cell that was ok once keeps its last good value, stale, while its server is away. */
export interface NameResolver {
  /** A tree that replaces another is shown when the replica set of each leaf is known, at the latest after 5 s. */
  bind(query: NameQuery): Cell<BoundTree>
  replicas(id: Path): Cell<ReplicaSet>
}

/** How a resolver stands with its servers; times in ms since 1970. */
export interface NamingStatus {
  readonly connected: boolean
  /** Whether any server ever answered. */
  readonly wasConnected: boolean
  /** While no server is connected: one sentence that says why, and when it is tried again. */
  readonly problem?: string
  /** What was read from disk at the start, and when that was written: names are served by it, stale, until a server answers. */
  readonly lastGood?: { readonly names: number; readonly savedAt: number }
  /** For people: which servers, since when, and how much went over the stream. */
  readonly facts: object
}

/** A resolver with its connection. The opener closes it. */
export interface NamingClient extends NameResolver {
  status(): NamingStatus
  close(): Promise<void> | void
}
