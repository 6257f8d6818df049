// A source of names that a test sets by hand.
import type { BoundTree } from '../../naming/bound-tree.ts'
import { leaf } from '../../naming/name-tree.ts'
import { parsePath } from '../../naming/parse.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { Endpoint, ReplicaSet } from '../../naming/replica-set.ts'
import { orThrow } from '../../naming/result.ts'
import type { NameQuery, NamingClient, NamingStatus } from '../../proxy-client/naming.ts'
import type { Cell, Input, Kernel } from '../../watch/cell.ts'

/** Cells are inputs; `asked` lists each name and id in the order in which it was first asked for. */
export class FakeNaming implements NamingClient {
  readonly #kernel: Kernel
  readonly #trees = new Map<string, Input<BoundTree>>()
  readonly #replicas = new Map<string, Input<ReplicaSet>>()
  readonly asked: string[] = []
  present: NamingStatus = { connected: true, wasConnected: true, facts: {} }
  isClosed = false

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  bind({ namespace, path, dtab = '' }: NameQuery): Cell<BoundTree> {
    this.asked.push(`${namespace} ${showPath(path)} ${dtab}`.trim())
    return this.tree(showPath(path), dtab)
  }

  replicas(id: Path): Cell<ReplicaSet> {
    this.asked.push(showPath(id))
    return this.replicaSet(showPath(id))
  }

  tree(path: string, dtab = ''): Input<BoundTree> {
    return getOrMake(this.#trees, `${path} ${dtab}`, key => this.#kernel.input<BoundTree>(key))
  }

  replicaSet(id: string): Input<ReplicaSet> {
    return getOrMake(this.#replicas, id, key => this.#kernel.input<ReplicaSet>(key))
  }

  /** Binds a name to one cluster with these endpoints. */
  route(path: string, id: string, endpoints: readonly Endpoint[]): void {
    this.replicaSet(id).set({ kind: 'bound', endpoints })
    this.tree(path).set(leafOf(id))
  }

  status(): NamingStatus {
    return this.present
  }

  close(): void {
    this.isClosed = true
  }
}

/** A tree of one leaf. */
export function leafOf(id: string, residual = '/'): BoundTree {
  return leaf({ id: pathOf(id), residual: pathOf(residual) })
}

export function pathOf(text: string): Path {
  return orThrow(parsePath(text))
}

/** An endpoint on this machine. */
export function endpointAt(port: number, weight = 1): Endpoint {
  return { address: '127.0.0.1', port, weight }
}

function getOrMake<V>(map: Map<string, V>, key: string, make: (key: string) => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make(key)
  map.set(key, made)
  return made
}
