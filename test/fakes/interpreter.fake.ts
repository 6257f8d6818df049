// An interpreter whose answers a test sets by hand. Names and ids are given as text.
import type { BindRequest, Interpreter, NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import type { BoundTree } from '../../naming/bound-tree.ts'
import { leaf, union } from '../../naming/name-tree.ts'
import { parsePath } from '../../naming/parse.ts'
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import { orThrow } from '../../naming/result.ts'
import type { Cell, Input, Kernel } from '../../watch/cell.ts'

/** Cells are pending until a test sets them. */
export class FakeInterpreter implements Interpreter {
  readonly #kernel: Kernel
  readonly #rules: Kernel
  readonly #namespaces = new Map<string, Input<NamespaceSnapshot>>()
  readonly #trees = new Map<string, Input<BoundTree>>()
  readonly #replicas = new Map<string, Input<ReplicaSet>>()

  /** With a kernel of their own for rules, whoever watches these is not among the counts of `kernel`. */
  constructor(kernel: Kernel, rules = kernel) {
    this.#kernel = kernel
    this.#rules = rules
  }

  /** The tree of a name such as `default/svc/web`. */
  tree(name: string): Input<BoundTree> {
    const made = this.#trees.get(name) ?? this.#kernel.input<BoundTree>(name)
    this.#trees.set(name, made)
    return made
  }

  /** The replica set of an id such as `/#/fs/web`. */
  set(id: string): Input<ReplicaSet> {
    const made = this.#replicas.get(id) ?? this.#kernel.input<ReplicaSet>(id)
    this.#replicas.set(id, made)
    return made
  }

  bind({ namespace, path }: BindRequest): Cell<BoundTree> {
    return this.tree(namespace + showPath(path))
  }

  replicas(id: Path): Cell<ReplicaSet> {
    return this.set(showPath(id))
  }

  /** The rules of a namespace: at no version until a test sets one. */
  namespace(name: string): Input<NamespaceSnapshot> {
    const made = this.#namespaces.get(name) ?? this.#rules.input<NamespaceSnapshot>(`dtab ${name}`)
    this.#namespaces.set(name, made)
    return made
  }

  /** Rules go by this version of the namespace now. */
  goBy(namespace: string, version: number): void {
    this.namespace(namespace).set({ exists: true, version, dtab: [], hash: '' })
  }

  delegate(): never {
    throw new Error('not part of this fake')
  }

  boundNames(): never {
    throw new Error('not part of this fake')
  }

  close(): void {}
}

export function path(text: string): Path {
  return orThrow(parsePath(text))
}

/** A tree of one bound id, or an even split over several. */
export function treeTo(...ids: readonly string[]): BoundTree {
  const leaves = ids.map(id => leaf({ id: path(id), residual: [] }))
  const [first] = leaves
  if (first !== undefined && leaves.length === 1) return first
  return union(leaves.map(tree => ({ weight: 1, tree })))
}

/** A replica set of addresses such as `127.0.0.1:80`. */
export function endpoints(...addresses: readonly string[]): ReplicaSet {
  return {
    kind: 'bound',
    endpoints: addresses.map(text => {
      const [address = '', port] = text.split(':')
      return { address, port: Number(port), weight: 1 }
    }),
  }
}
