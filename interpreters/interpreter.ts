// The contract of an interpreter: logical names in, bindings, endpoints and explanations out, all as cells.
import type { BoundTree } from '../naming/bound-tree.ts'
import type { Dentry, Dtab } from '../naming/dtab.ts'
import type { NameTree } from '../naming/name-tree.ts'
import type { Path } from '../naming/path.ts'
import type { ReplicaSet } from '../naming/replica-set.ts'
import type { Cell } from '../watch/cell.ts'

/** A logical name in a namespace; `local` is appended to the namespace's dtab and so wins over it. */
export interface BindRequest {
  readonly namespace: string
  readonly path: Path
  readonly local?: Dtab
}

/** What evaluation sees of a namespace. An unknown or deleted one is an empty dtab with `exists: false`. */
export interface NamespaceSnapshot {
  readonly exists: boolean
  /** The store's version; the tombstone's for a deleted namespace, 0 for one that never was. */
  readonly version: number
  readonly dtab: Dtab
  /** Content hash of the parsed dtab. */
  readonly hash: string
}

/** One step of an explanation; `dentry` is the rule that led here, absent at the root. `why` is what a namer knows of a name that is neg. */
export type DelegateTree = { readonly path: Path; readonly dentry?: Dentry } & (
  | { readonly kind: 'neg'; readonly why?: string }
  | { readonly kind: 'fail' | 'empty' }
  | { readonly kind: 'exception'; readonly message: string }
  | { readonly kind: 'delegate'; readonly tree: DelegateTree }
  | { readonly kind: 'leaf'; readonly id: Path; readonly residual: Path }
  | { readonly kind: 'alt'; readonly trees: readonly DelegateTree[] }
  | { readonly kind: 'union'; readonly branches: readonly { readonly weight: number; readonly tree: DelegateTree }[] }
  | { readonly kind: 'transformation'; readonly name: string; readonly tree: DelegateTree }
)

export interface DelegateRequest {
  /** Absent: only `local` and the namers. */
  readonly namespace?: string
  readonly tree: NameTree<Path>
  readonly local?: Dtab
}

export interface Interpreter {
  /** The namespace as evaluation has it now. */
  namespace(namespace: string): Cell<NamespaceSnapshot>
  /** The binding of a name: changes only when a rule changes or a name begins or ceases to exist. One cell per equal request. */
  bind(request: BindRequest): Cell<BoundTree>
  /** The endpoints of a bound id; one cell per id, whoever asks. `/%/...` transformer prefixes are cut. */
  replicas(id: Path): Cell<ReplicaSet>
  /** Every alternative with the dentry that led there; cached per dtab version, local dtab and tree while it is watched or idle for a while. */
  delegate(request: DelegateRequest): Cell<DelegateTree>
  /** The names that listing namers know. */
  boundNames(): Cell<readonly Path[]>
  /** Releases namers and caches. */
  close(): void
}
