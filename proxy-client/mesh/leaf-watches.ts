// Watches the replica set of each leaf of the trees that are held, so that its stream stays open. Knows no stream.
import { type Path, showPath } from '../../naming/path.ts'
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { Cell, Unwatch } from '../../watch/cell.ts'
import type { LeafHolder } from '../tree-in-turn.ts'

interface Leaf {
  uses: number
  isSettled: boolean
  unwatch: Unwatch
}

export class LeafWatches implements LeafHolder {
  readonly #replicas: (id: Path) => Cell<ReplicaSet>
  readonly #onSettled: () => void
  readonly #leaves = new Map<string, Leaf>()

  /** `onSettled`: told when something is known of a leaf for the first time. */
  constructor(replicas: (id: Path) => Cell<ReplicaSet>, onSettled: () => void) {
    this.#replicas = replicas
    this.#onSettled = onSettled
  }

  addLeaf(id: Path): void {
    const key = showPath(id)
    const known = this.#leaves.get(key)
    if (known !== undefined) known.uses++
    else this.#watch(key, id)
  }

  removeLeaf(id: Path): void {
    const key = showPath(id)
    const leaf = this.#leaves.get(key)
    if (leaf === undefined || --leaf.uses > 0) return
    this.#leaves.delete(key)
    leaf.unwatch()
  }

  isSettled(id: Path): boolean {
    return this.#leaves.get(showPath(id))?.isSettled ?? false
  }

  #watch(key: string, id: Path): void {
    const leaf: Leaf = { uses: 1, isSettled: false, unwatch: () => {} }
    this.#leaves.set(key, leaf)
    leaf.unwatch = this.#replicas(id).watch(({ kind }) => {
      if (leaf.isSettled || kind === 'pending') return
      leaf.isSettled = true
      this.#onSettled()
    })
  }
}
