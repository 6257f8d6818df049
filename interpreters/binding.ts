// One live name: its identity and what its cell computes. There are very many of these, so each is one object that holds
// little. Knows the rules of its namespace only through the namespace's cell.
import type { BoundTree } from '../naming/bound-tree.ts'
import { emptyDtab } from '../naming/dtab.ts'
import { formatDtab } from '../naming/format.ts'
import { chainLookupIndexes, createLookupIndex, type LookupIndex } from '../naming/lookup-index.ts'
import { emptyPath, type Path, showPath } from '../naming/path.ts'
import type { Cell, Read } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'
import { bind } from './bind.ts'
import type { ChangedNames } from './changed-names.ts'
import { maxLabelsKept, maxPathsKept } from './evaluation-limits.ts'
import type { BindRequest } from './interpreter.ts'
import type { Namers } from './namers.ts'
import type { CompiledNamespace } from './namespace-cells.ts'
import { joinPaths, type PathList, somePath } from './path-list.ts'

/** What all names share. */
export interface Evaluator {
  readonly namers: Namers
  readonly changed: ChangedNames
  readonly namespace: (name: string) => Cell<CompiledNamespace>
}

/** The same text for equal requests only. */
export function bindingName({ namespace, path, local = emptyDtab }: BindRequest): string {
  // One join gives one flat string; a template would keep its parts alive.
  return ['bind ', namespace, ' ', showPath(path), ' ', formatDtab(local)].join('')
}

/** The computation of a binding's cell; it reads its namespace with itself as the judge of what affects it. */
export class Binding {
  readonly #evaluator: Evaluator
  readonly #namespace: Cell<CompiledNamespace>
  readonly #path: Path
  /** The local dtab stands after the namespace's, so it wins. */
  readonly #local: LookupIndex | undefined
  /** What the last evaluation looked up after the path itself. */
  #lookedUp: PathList | 'too many' | undefined

  constructor(evaluator: Evaluator, { namespace, path, local = emptyDtab }: BindRequest) {
    this.#evaluator = evaluator
    this.#namespace = evaluator.namespace(namespace)
    this.#path = path.length === 0 ? emptyPath : path
    this.#local = local.length === 0 ? undefined : createLookupIndex(local)
  }

  compute(read: Read): State<BoundTree> {
    this.#lookedUp = undefined
    const namespace = read(this.#namespace, this)
    if (namespace.kind !== 'ok') return namespace
    const { index } = namespace.value.compiled
    const rules = this.#local === undefined ? index : chainLookupIndexes(index, this.#local)
    const { state, lookedUp } = bind({ rules, namers: this.#evaluator.namers, read, path: this.#path })
    this.#lookedUp = keptOf(lookedUp)
    return state
  }

  affects(before: CompiledNamespace, after: CompiledNamespace): boolean {
    const changed = this.#evaluator.changed.between(before.compiled, after.compiled)
    const lookedUp = this.#lookedUp
    if (changed.isEmpty) return false
    if (lookedUp === 'too many' || changed.matches(this.#path)) return true
    return lookedUp !== undefined && somePath(lookedUp, path => changed.matches(path))
  }
}

/** What is kept of the look-ups, the path itself apart: there are very many names, and some lead through very long paths. */
function keptOf(lookedUp: readonly Path[]): PathList | 'too many' | undefined {
  if (lookedUp.length > maxPathsKept) return 'too many'
  const labels = lookedUp.reduce((sum, path) => sum + path.length, 0)
  return labels > maxLabelsKept ? 'too many' : joinPaths(lookedUp, 1)
}
