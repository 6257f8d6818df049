// The interpreter: one shared cell per question, all derived from the namespaces' cells and the namers'.
import { type BoundTree, boundTreeEquals } from '../naming/bound-tree.ts'
import { emptyDtab } from '../naming/dtab.ts'
import type { Store } from '../storage/store.ts'
import type { Kernel } from '../watch/cell.ts'
import type { Clock } from '../watch/clock.ts'
import { Binding, bindingName, type Evaluator } from './binding.ts'
import { createBoundNames } from './bound-names.ts'
import { ChangedNames } from './changed-names.ts'
import { compileEntries } from './compile-dtab.ts'
import { Explanation, isLargeExplanation } from './explanation.ts'
import { createInetNamers } from './inet/index.ts'
import type { BindRequest, DelegateTree, Interpreter } from './interpreter.ts'
import { keepAWhile } from './keep-a-while.ts'
import type { Namer } from './namer.ts'
import { joinNamers } from './namers.ts'
import { createNamespaceCells, type OnNamespaceVersion } from './namespace-cells.ts'
import { createReplicaCells } from './resolve.ts'
import { createUtilityNamers } from './utility/index.ts'

export interface InterpreterOptions {
  readonly store: Store
  readonly kernel: Kernel
  /** Asked in this order after the dtab. The interpreter closes them. */
  readonly namers: readonly Namer[]
  readonly clock: Clock
  /** The namers under `/$/`; when absent, all of them, resolving hosts by this machine's hosts file and DNS. */
  readonly builtIn?: readonly Namer[]
  /** Told of the versions that evaluation goes by. */
  readonly onVersion?: OnNamespaceVersion
}

/** How long an explanation stays ready for the next who asks the same. */
const explanationLingerMs = 10_000

/** Evaluates nothing and opens nothing before somebody watches. */
export function createInterpreter(options: InterpreterOptions): Interpreter {
  const { store, kernel, clock, onVersion } = options
  const builtIn = options.builtIn ?? [...createInetNamers({ kernel, clock }), ...createUtilityNamers(kernel)]
  const namers = joinNamers(options.namers, builtIn)
  const namespace = createNamespaceCells({
    store,
    kernel,
    clock,
    none: compileEntries(emptyDtab),
    ...(onVersion && { onVersion }),
  })
  const evaluator: Evaluator = { namers, namespace, changed: new ChangedNames() }
  const bindings = kernel.pool<BindRequest, BoundTree>(
    (request, name) => kernel.derive(name, new Binding(evaluator, request), { equals: boundTreeEquals }),
    bindingName,
  )
  const explanations = keepAWhile<Explanation, DelegateTree>(kernel, {
    open: explanation => kernel.derive(explanation.name, explanation),
    keyText: explanation => explanation.name,
    lingerMs: explanationLingerMs,
    isTooLarge: isLargeExplanation,
  })
  return {
    namespace,
    bind: request => bindings.at(request),
    replicas: createReplicaCells(kernel, namers),
    delegate: request => explanations(new Explanation(evaluator, request)),
    boundNames: createBoundNames(kernel, namers.all),
    close: () => {
      for (const namer of namers.all) namer.close()
    },
  }
}
