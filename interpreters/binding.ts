// One live name: its identity and what its cell computes. There are very many of these, so each is one object that holds
// little. Knows the rules of its namespace only through the namespace's cell.
import type { BoundTree } from '../naming/bound-tree.ts'
import { type Dtab, emptyDtab } from '../naming/dtab.ts'
import { formatDtab } from '../naming/format.ts'
import { chainLookupIndexes, createLookupIndex, type LookupIndex } from '../naming/lookup-index.ts'
import { emptyPath, type Path, showPath } from '../naming/path.ts'
import type { Cell, Read } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'
import { bind } from './bind.ts'
import type { ChangedNames } from './changed-names.ts'
import type { BindRequest } from './interpreter.ts'
import type { Namers } from './namers.ts'
import type { CompiledNamespace } from './namespace-cells.ts'

/** What all names share. */
export interface Evaluator {
  readonly namers: Namers
  readonly changed: ChangedNames
  readonly namespace: (name: string) => Cell<CompiledNamespace>
}

const noPaths: readonly Path[] = []

/** The computation of a binding's cell; it reads its namespace with itself as the judge of what affects it. */
export class Binding {
  /** The same for equal requests only. */
  readonly name: string
  readonly #evaluator: Evaluator
  readonly #namespace: Cell<CompiledNamespace>
  readonly #path: Path
  readonly #local: Dtab
  #localIndex: LookupIndex | undefined
  /** The paths that the last evaluation looked up. */
  #lookedUp = noPaths

  constructor(evaluator: Evaluator, { namespace, path, local = emptyDtab }: BindRequest) {
    // One join gives one flat string; a template would keep its parts alive.
    this.name = ['bind ', namespace, ' ', showPath(path), ' ', formatDtab(local)].join('')
    this.#evaluator = evaluator
    this.#namespace = evaluator.namespace(namespace)
    this.#path = path.length === 0 ? emptyPath : path
    this.#local = local
  }

  compute(read: Read): State<BoundTree> {
    this.#lookedUp = noPaths
    const namespace = read(this.#namespace, this)
    if (namespace.kind !== 'ok') return namespace
    const rules = this.#over(namespace.value.compiled.index)
    const { state, lookedUp } = bind({ rules, namers: this.#evaluator.namers, read, path: this.#path })
    this.#lookedUp = lookedUp
    return state
  }

  affects(before: CompiledNamespace, after: CompiledNamespace): boolean {
    return this.#evaluator.changed.concerns(this.#lookedUp, before.compiled, after.compiled)
  }

  /** The local dtab stands after the namespace's, so it wins. */
  #over(index: LookupIndex): LookupIndex {
    if (this.#local.length === 0) return index
    this.#localIndex ??= createLookupIndex(this.#local)
    return chainLookupIndexes(index, this.#localIndex)
  }
}
