// Trees and addresses as namerd's JSON, which /api/1 and /api share; they differ in how dentries are spelt.
import type { DelegateTree } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import type { Dentry } from '../../naming/dtab.ts'
import type { DentryJson } from '../../naming/dtab-json.ts'
import { type Path, pathStartsWith, showPath } from '../../naming/path.ts'
import type { Endpoint, Metadata, ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'

/** The addresses of a bound id as they are known now. */
export type AddrOf = (id: Path) => State<ReplicaSet>

/** Weights that JSON has no number for are quoted, as namerd does. */
type WeightJson = number | 'Infinity'

interface AddrJson {
  readonly type: 'bound' | 'neg' | 'pending' | 'failed'
  readonly addrs?: readonly { readonly ip: string; readonly port: number; readonly meta: Metadata }[]
  readonly meta?: Metadata
  readonly cause?: string
}

interface TreeJson {
  readonly type: string
  readonly bound?: { readonly addr: AddrJson; readonly id: string; readonly path: string }
  readonly alt?: readonly TreeJson[]
  readonly union?: readonly { readonly weight: WeightJson; readonly tree: TreeJson }[]
}

function weightJson(weight: number): WeightJson {
  return Number.isFinite(weight) ? weight : 'Infinity'
}

function endpointMeta({ weight, metadata }: Endpoint): Metadata {
  return weight === 1 ? (metadata ?? {}) : { ...metadata, endpoint_addr_weight: weight }
}

/** `extra` is added to the address's own metadata. */
export function addrJson(state: State<ReplicaSet>, extra?: Metadata): AddrJson {
  if (state.kind === 'pending') return { type: 'pending' }
  if (state.kind === 'failed') return { type: 'failed', cause: state.error.message }
  const replicas = state.value
  if (replicas.kind === 'neg') return { type: 'neg' }
  return {
    type: 'bound',
    addrs: replicas.endpoints.map(endpoint => ({
      ip: endpoint.address,
      port: endpoint.port,
      meta: endpointMeta(endpoint),
    })),
    meta: { ...replicas.metadata, ...extra },
  }
}

/** Each leaf holds the addresses as they are now; under a union their metadata say the branch's weight. */
export function boundTreeJson(tree: BoundTree, addrOf: AddrOf, weight?: number): TreeJson {
  switch (tree.kind) {
    case 'leaf': {
      const { id, residual } = tree.value
      const extra = weight === undefined ? undefined : { namer_nametree_weight: weightJson(weight) }
      return {
        type: 'leaf',
        bound: { addr: addrJson(addrOf(id), extra), id: showPath(id), path: showPath(residual) },
      }
    }
    case 'alt':
      return { type: 'alt', alt: tree.trees.map(child => boundTreeJson(child, addrOf, weight)) }
    case 'union':
      return {
        type: 'union',
        union: tree.branches.map(branch => ({
          weight: weightJson(branch.weight),
          tree: boundTreeJson(branch.tree, addrOf, branch.weight),
        })),
      }
    default:
      return { type: tree.kind }
  }
}

/** The ids of a tree's leaves, each once. */
export function leafIds(tree: BoundTree): readonly Path[] {
  const ids = new Map<string, Path>()
  collectIds(tree, ids)
  return [...ids.values()]
}

function collectIds(tree: BoundTree, into: Map<string, Path>): void {
  if (tree.kind === 'leaf') into.set(showPath(tree.value.id), tree.value.id)
  else if (tree.kind === 'alt') for (const child of tree.trees) collectIds(child, into)
  else if (tree.kind === 'union') for (const branch of tree.branches) collectIds(branch.tree, into)
}

export interface ExplanationStyle {
  /** How a dentry is spelt: exactly, or as Finagle shows it. */
  readonly spell: (dentry: Dentry) => DentryJson
  /** Whether a neg says why it is one, which namerd's never did. */
  readonly tellsWhy: boolean
}

/** A node's own path; one that came out of a tree shows its mark, as does every `!` that is not `/$/fail`. */
function nodePath({ kind, path }: DelegateTree): string {
  if (kind === 'fail') return pathStartsWith(path, refusing) ? showPath(path) : '!'
  return kind === 'neg' && path.length === 0 ? '~' : showPath(path)
}

const refusing: Path = ['$', 'fail']

/** An explanation, keys in namerd's order. */
export function delegateTreeJson(node: DelegateTree, addrOf: AddrOf, style: ExplanationStyle): object {
  const { kind, dentry } = node
  const head = { type: kind, path: nodePath(node), ...(dentry && { dentry: style.spell(dentry) }) }
  const child = (tree: DelegateTree): object => delegateTreeJson(tree, addrOf, style)
  switch (node.kind) {
    case 'neg':
      return style.tellsWhy && node.why !== undefined ? { ...head, why: node.why } : head
    case 'exception':
      return { ...head, message: node.message }
    case 'delegate':
      return { ...head, delegate: child(node.tree) }
    case 'transformation':
      return { ...head, name: node.name, tree: child(node.tree) }
    case 'leaf':
      return {
        ...head,
        bound: { addr: addrJson(addrOf(node.id)), id: showPath(node.id), path: showPath(node.residual) },
      }
    case 'alt':
      return { ...head, alt: node.trees.map(child) }
    case 'union':
      return {
        ...head,
        union: node.branches.map(({ weight, tree }) => ({ weight: weightJson(weight), tree: child(tree) })),
      }
    default:
      return head
  }
}

/** The bound ids that an explanation ends at, each once. */
export function delegateIds(node: DelegateTree): readonly Path[] {
  const ids = new Map<string, Path>()
  collectDelegateIds(node, ids)
  return [...ids.values()]
}

function collectDelegateIds(node: DelegateTree, into: Map<string, Path>): void {
  if (node.kind === 'leaf') into.set(showPath(node.id), node.id)
  else if (node.kind === 'delegate' || node.kind === 'transformation') collectDelegateIds(node.tree, into)
  else if (node.kind === 'alt') for (const tree of node.trees) collectDelegateIds(tree, into)
  else if (node.kind === 'union') for (const { tree } of node.branches) collectDelegateIds(tree, into)
}
