// The interpreter: one shared cell per question, all derived from the namespaces' cells and the namers'.
import { type BoundTree, boundTreeEquals } from '../naming/bound-tree.ts'
import { emptyDtab } from '../naming/dtab.ts'
import { formatDtab, formatNameTree } from '../naming/format.ts'
import { chainLookupIndexes, createLookupIndex, type LookupIndex } from '../naming/lookup-index.ts'
import { type Path, showPath } from '../naming/path.ts'
import type { Store } from '../storage/store.ts'
import type { Cell, Kernel, Read } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'
import { ok, type State } from '../watch/state.ts'
import { bind } from './bind.ts'
import { createBoundNames } from './bound-names.ts'
import { ChangedNames, maxPathsRemembered } from './changed-names.ts'
import { compileEntries } from './compile-dtab.ts'
import { delegate } from './delegate.ts'
import { createInetNamers } from './inet/index.ts'
import type { BindRequest, DelegateRequest, DelegateTree, Interpreter } from './interpreter.ts'
import { keepAWhile } from './keep-a-while.ts'
import type { Namer } from './namer.ts'
import { joinNamers } from './namers.ts'
import { type CompiledNamespace, createNamespaceCells } from './namespace-cells.ts'
import { createReplicaCells } from './resolve.ts'
import { createUtilityNamers } from './utility/index.ts'

export interface InterpreterOptions {
  readonly store: Store
  readonly kernel: Kernel
  /** Asked in this order after the dtab. The interpreter closes them. */
  readonly namers: readonly Namer[]
  readonly clock: Clock
  /** The namers under `/$/`; those that resolve hosts by this machine's DNS when absent. */
  readonly builtIn?: readonly Namer[]
}

/** How long an explanation stays ready for the next who asks the same. */
const explanationLingerMs = 10_000

/** Evaluates nothing and opens nothing before somebody watches. */
export function createInterpreter(options: InterpreterOptions): Interpreter {
  const { store, kernel, clock } = options
  const builtIn = options.builtIn ?? [...createInetNamers({ kernel, clock }), ...createUtilityNamers(kernel)]
  const namers = joinNamers(options.namers, builtIn)
  const none = compileEntries(emptyDtab)
  const namespace = createNamespaceCells({ store, kernel, clock, none })
  const changed = new ChangedNames()

  const rulesOf = (read: Read, name: string, local: LookupIndex | undefined, lookedUp: Path[]): State<LookupIndex> => {
    const snapshot = read(namespace(name), (before: CompiledNamespace, after: CompiledNamespace) =>
      changed.concerns(lookedUp, before.compiled, after.compiled),
    )
    if (snapshot.kind !== 'ok') return snapshot
    const { index } = snapshot.value.compiled
    return ok(local === undefined ? index : chainLookupIndexes(index, local))
  }

  const openBinding = ({ name, request }: Named<BindRequest>): Cell<BoundTree> => {
    const local = indexOf(request)
    const compute = (read: Read): State<BoundTree> => {
      const lookedUp: Path[] = []
      const rules = rulesOf(read, request.namespace, local, lookedUp)
      if (rules.kind !== 'ok') return rules
      const state = bind({ rules: rules.value, namers, read, path: request.path, lookedUp })
      forgetMost(lookedUp)
      return state
    }
    return kernel.derive(name, compute, { equals: boundTreeEquals })
  }

  const openExplanation = ({ name, request }: Named<DelegateRequest>): Cell<DelegateTree> => {
    const local = indexOf(request)
    const compute = (read: Read): State<DelegateTree> => {
      const lookedUp: Path[] = []
      const rules =
        request.namespace === undefined ? ok(local ?? none.index) : rulesOf(read, request.namespace, local, lookedUp)
      if (rules.kind !== 'ok') return rules
      const state = delegate({ rules: rules.value, namers, read, tree: request.tree, lookedUp })
      forgetMost(lookedUp)
      return state
    }
    return kernel.derive(name, compute)
  }

  const bindings = kernel.pool(openBinding, ({ name }) => name)
  const explanations = keepAWhile(kernel, openExplanation, ({ name }) => name, explanationLingerMs)
  return {
    namespace,
    bind: request => bindings.at({ name: nameOfBinding(request), request }),
    replicas: createReplicaCells(kernel, namers),
    delegate: request => explanations({ name: nameOfExplanation(request), request }),
    boundNames: createBoundNames(kernel, namers.all),
    close: () => {
      for (const namer of namers.all) namer.close()
    },
  }
}

/** A request under the text that is the same for equal requests. */
interface Named<R> {
  readonly name: string
  readonly request: R
}

function nameOfBinding({ namespace, path, local }: BindRequest): string {
  return `bind ${namespace} ${showPath(path)}${local === undefined ? '' : ` ${formatDtab(local)}`}`
}

function nameOfExplanation({ namespace, tree, local }: DelegateRequest): string {
  return `delegate ${namespace ?? ''} ${formatNameTree(tree)} ${formatDtab(local ?? emptyDtab)}`
}

function indexOf({ local }: BindRequest | DelegateRequest): LookupIndex | undefined {
  return local === undefined || local.length === 0 ? undefined : createLookupIndex(local)
}

/** Beyond the limit the paths themselves no longer matter. */
function forgetMost(lookedUp: Path[]): void {
  if (lookedUp.length > maxPathsRemembered) lookedUp.length = maxPathsRemembered + 1
}
