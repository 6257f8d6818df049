// The balancers of bound ids, one for each id however many names lead there. Knows neither names nor protocols.
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { State } from '../../watch/state.ts'
import type { Balancer } from '../balancer/balancer.ts'

/** One bound id while a tree has it as a leaf. */
export class LeafBalancer<T> {
  readonly idText: string
  readonly balancer: Balancer<T>
  users = 0
  /** Of the newest answer that is worth something: a set that was known once outlives failures. */
  state: State<ReplicaSet> = { kind: 'pending' }
  readonly #onChange: () => void
  readonly #unwatch: Unwatch

  constructor(idText: string, replicas: Cell<ReplicaSet>, balancer: Balancer<T>, onChange: () => void) {
    this.idText = idText
    this.balancer = balancer
    this.#onChange = onChange
    this.#unwatch = replicas.watch(state => this.#take(state))
  }

  close(): void {
    this.#unwatch()
    this.balancer.close()
  }

  #take(state: State<ReplicaSet>): void {
    if (state.kind === 'ok') this.balancer.update(state.value.kind === 'bound' ? state.value.endpoints : [])
    if (state.kind === 'ok' || this.state.kind !== 'ok') this.state = state
    this.#onChange()
  }
}

export class LeafBalancers<T> {
  readonly #replicas: (id: Path) => Cell<ReplicaSet>
  readonly #createBalancer: () => Balancer<T>
  readonly #leaves = new Map<string, LeafBalancer<T>>()
  readonly #listeners = new Set<() => void>()

  constructor(replicas: (id: Path) => Cell<ReplicaSet>, createBalancer: () => Balancer<T>) {
    this.#replicas = replicas
    this.#createBalancer = createBalancer
  }

  values(): Iterable<LeafBalancer<T>> {
    return this.#leaves.values()
  }

  /** Held until it is given back. */
  acquire(id: Path): LeafBalancer<T> {
    const key = showPath(id)
    let leaf = this.#leaves.get(key)
    if (leaf === undefined) {
      leaf = new LeafBalancer(key, this.#replicas(id), this.#createBalancer(), () => this.#tell())
      this.#leaves.set(key, leaf)
    }
    leaf.users++
    return leaf
  }

  release(leaf: LeafBalancer<T>): void {
    leaf.users--
    if (leaf.users > 0) return
    this.#leaves.delete(leaf.idText)
    leaf.close()
  }

  /** Calls back when anything is known that was not; until the returned function is called. */
  listen(run: () => void): () => void {
    this.#listeners.add(run)
    return () => this.#listeners.delete(run)
  }

  #tell(): void {
    for (const run of [...this.#listeners]) run()
  }
}
