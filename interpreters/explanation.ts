// One explained tree: its identity and what its cell computes.
import { type Dtab, emptyDtab } from '../naming/dtab.ts'
import { formatDtab, formatNameTree } from '../naming/format.ts'
import { chainLookupIndexes, createLookupIndex } from '../naming/lookup-index.ts'
import type { NameTree } from '../naming/name-tree.ts'
import type { Path } from '../naming/path.ts'
import type { Cell, Read } from '../watch/cell.ts'
import type { State } from '../watch/state.ts'
import type { Evaluator } from './binding.ts'
import { delegate } from './delegate.ts'
import type { DelegateRequest, DelegateTree } from './interpreter.ts'
import type { CompiledNamespace } from './namespace-cells.ts'

/** The computation of an explanation's cell; evaluated again only when the version touches a path that it looked up. */
export class Explanation {
  /** The same for equal requests only. */
  readonly name: string
  readonly #evaluator: Evaluator
  readonly #namespace: Cell<CompiledNamespace> | undefined
  readonly #tree: NameTree<Path>
  readonly #local: Dtab
  #lookedUp: readonly Path[] = []

  constructor(evaluator: Evaluator, { namespace, tree, local = emptyDtab }: DelegateRequest) {
    this.name = ['delegate ', namespace ?? '', ' ', formatNameTree(tree), ' ', formatDtab(local)].join('')
    this.#evaluator = evaluator
    this.#namespace = namespace === undefined ? undefined : evaluator.namespace(namespace)
    this.#tree = tree
    this.#local = local
  }

  compute(read: Read): State<DelegateTree> {
    this.#lookedUp = []
    const local = createLookupIndex(this.#local)
    const namespace = this.#namespace && read(this.#namespace, this)
    if (namespace !== undefined && namespace.kind !== 'ok') return namespace
    const rules = namespace === undefined ? local : chainLookupIndexes(namespace.value.compiled.index, local)
    const { state, lookedUp } = delegate({ rules, namers: this.#evaluator.namers, read, tree: this.#tree })
    this.#lookedUp = lookedUp
    return state
  }

  affects(before: CompiledNamespace, after: CompiledNamespace): boolean {
    return this.#evaluator.changed.concerns(this.#lookedUp, before.compiled, after.compiled)
  }
}

/** Steps and labels of an explanation that is kept for a while: some 100 KB. */
const mostKept = 2_000

/** Whether an explanation is far larger than those that people and proxies ask for. Depth costs no stack. */
export function isLargeExplanation(tree: DelegateTree): boolean {
  const waiting = [tree]
  let size = 0
  for (let step = waiting.pop(); step !== undefined && size <= mostKept; step = waiting.pop()) {
    size += 1 + step.path.length
    if (step.kind === 'delegate' || step.kind === 'transformation') waiting.push(step.tree)
    else if (step.kind === 'alt') for (const child of step.trees) waiting.push(child)
    else if (step.kind === 'union') for (const { tree: child } of step.branches) waiting.push(child)
  }
  return size > mostKept
}
