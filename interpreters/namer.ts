// The contract of a namer: a source of concrete names under a prefix such as /#/io.l5d.fs.
import type { NameTree } from '../naming/name-tree.ts'
import type { Path } from '../naming/path.ts'
import type { ReplicaSet } from '../naming/replica-set.ts'
import type { Cell, Read } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'

/** One leaf of a namer's answer: another path to look up, or a concrete id with what is left of the path. */
export type NamerLeaf =
  | { readonly kind: 'path'; readonly path: Path }
  | { readonly kind: 'bound'; readonly id: Path; readonly residual: Path }

/**
 * A name whose loss is held back: its last good endpoints stay, marked stale. `name` is that of its source without the
 * kind and the space before it; `since` in ms since 1970. Its cell has one observer more meanwhile, the guard, so that the
 * good endpoints are not forgotten when nobody watches for a while.
 */
export interface HeldName {
  readonly name: string
  readonly since: number
}

/** What an operator sees of a namer's guard against mass loss, and how it is told that the loss is real. */
export interface NamerGuard {
  held(): readonly HeldName[]
  /** Publishes what the backend truly says of every held name; gives how many there were. */
  release(): number
}

export interface Namer {
  /** Full prefix, `/#/...` included. Two namers may share one; a Neg of the first lets the second answer. */
  readonly prefix: Path
  /**
   * What `rest` (the path after the prefix) names. Runs inside a derivation: it must be synchronous and quick, and
   * reads what changes through `read`. Only existence may be read here, so that a tree changes only when a name
   * begins or ceases to exist. A throw or a failed state is a failure of that leaf alone.
   */
  lookup(rest: Path, read: Read): State<NameTree<NamerLeaf>>
  /** The endpoints of an id that lookup gave (prefix included), or of any other path under the prefix; extra labels are ignored. */
  replicas(id: Path): Cell<ReplicaSet>
  /** Every name the namer can list, prefix included; absent when it cannot list. */
  readonly names?: () => Cell<readonly Path[]>
  /** Holds back a sudden loss of many names; absent when the namer has no such guard or it is switched off. */
  readonly guard?: NamerGuard
  /** Releases everything; the namer's cells deliver nothing afterwards. */
  close(): void
}
