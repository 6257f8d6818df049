// The explanation of a name: every alternative is followed and kept, each step with the dentry that led there.
// Shape and depth rules are those of linkerd 1's delegator. Knows nothing of namespaces, pools or wires.
import type { Dentry } from '../naming/dtab.ts'
import { NamingError } from '../naming/errors.ts'
import { extendPath } from '../naming/graft.ts'
import type { LookupIndex } from '../naming/lookup-index.ts'
import type { NameTree, Weighted } from '../naming/name-tree.ts'
import { emptyPath, type Path, pathEquals, showPath } from '../naming/path.ts'
import type { ReplicaSet } from '../naming/replica-set.ts'
import { dentrySize, pathSize } from '../naming/text-size.ts'
import type { Read } from '../watch/cell.ts'
import { failed, ok, pendingOn, type State } from '../watch/state.ts'
import { explanationTooDeep, maxDepth, maxExplainWork, tooDeepToExplain } from './evaluation-limits.ts'
import type { DelegateTree } from './interpreter.ts'
import type { NamerLeaf } from './namer.ts'
import type { Namers } from './namers.ts'
import { Exhausted, Trail } from './trail.ts'

export interface DelegateInput {
  readonly rules: LookupIndex
  readonly namers: Namers
  readonly read: Read
  readonly tree: NameTree<Path>
}

export interface DelegateOutcome {
  readonly state: State<DelegateTree>
  /** The paths that were looked up in the rules, the first maxPathsKept + 1 of them. */
  readonly lookedUp: readonly Path[]
}

/**
 * The explanation of a tree. A namer's failure is an exception node; too many rewrites are one inside an alternative or
 * union and fail the whole elsewhere; anything pending makes the whole pending.
 */
export function delegate(input: DelegateInput): DelegateOutcome {
  return new Walk(input).run()
}

/** Where a step comes from: the path looked up and the dentry that led there. */
interface Place {
  readonly path: Path
  readonly dentry?: Dentry
}

/** Ends the whole walk, exception nodes or not. */
class Waiting extends Error {
  readonly state: State<DelegateTree>

  constructor(state: State<DelegateTree>) {
    super('the explanation waits')
    this.state = state
  }
}

class Walk {
  readonly #input: DelegateInput
  readonly #root: Path
  readonly #trail: Trail
  readonly #ruleSizes = new Map<Dentry, number>()
  #tooDeep: NamingError | undefined

  constructor(input: DelegateInput) {
    this.#input = input
    this.#root = input.tree.kind === 'leaf' ? input.tree.value : emptyPath
    this.#trail = new Trail(this.#root, maxExplainWork)
  }

  run(): DelegateOutcome {
    const state = this.#explainAll()
    return { state, lookedUp: this.#trail.lookedUp }
  }

  #explainAll(): State<DelegateTree> {
    try {
      return ok(this.#tree(this.#input.tree, { path: this.#root }, 0))
    } catch (error) {
      if (error instanceof Waiting) return error.state
      if (error instanceof Exhausted) return failed(error.reason)
      if (error instanceof NamingError) return failed(error)
      throw error
    }
  }

  #tree(tree: NameTree<Path | NamerLeaf>, place: Place, depth: number): DelegateTree {
    this.#refuseBeyondLimit(depth)
    if (tree.kind === 'leaf') return this.#leaf(tree.value, place, depth)
    this.#spend(place)
    switch (tree.kind) {
      case 'neg':
        return { kind: 'neg', ...place, path: emptyPath }
      case 'fail':
      case 'empty':
        return { kind: tree.kind, ...place }
      case 'alt':
        return this.#alt(tree.trees, place, depth)
      case 'union':
        return this.#union(tree.branches, place, depth)
    }
  }

  // Loops, not maps: a callback would cost two more frames of the stack at each level.
  #alt(trees: readonly NameTree<Path | NamerLeaf>[], place: Place, depth: number): DelegateTree {
    const explained: DelegateTree[] = []
    for (const tree of trees) explained.push(this.#branch(tree, place, depth))
    return altOf(place, explained)
  }

  #union(branches: readonly Weighted<Path | NamerLeaf>[], place: Place, depth: number): DelegateTree {
    const explained: { readonly weight: number; readonly tree: DelegateTree }[] = []
    for (const { weight, tree } of branches) explained.push({ weight, tree: this.#branch(tree, place, depth) })
    return { kind: 'union', ...place, branches: explained }
  }

  /** Every node shows its place: the path and the rule. */
  #spend({ path, dentry }: Place): void {
    this.#trail.spend(pathSize(path) + (dentry === undefined ? 0 : this.#sizeOfRule(dentry)))
  }

  #sizeOfRule(rule: Dentry): number {
    const known = this.#ruleSizes.get(rule)
    if (known !== undefined) return known
    const size = dentrySize(rule, maxExplainWork)
    this.#ruleSizes.set(rule, size)
    return size
  }

  /** linkerd's words; whoever is inside an alternative or union makes an exception node of it. One error serves all. */
  #refuseBeyondLimit(depth: number): void {
    if (depth <= maxDepth) return
    this.#tooDeep ??= tooDeepToExplain(this.#trail.noteCircle())
    throw this.#tooDeep
  }

  /** A child of an alternative or union: what goes wrong in it stays in it. */
  #branch(tree: NameTree<Path | NamerLeaf>, place: Place, depth: number, within = place): DelegateTree {
    this.#trail.nest()
    const { depth: open } = this.#trail
    try {
      return this.#tree(tree, place, depth)
    } catch (error) {
      if (!(error instanceof NamingError)) throw error
      this.#trail.backTo(open)
      this.#spend(within)
      return { kind: 'exception', ...within, message: error === this.#tooDeep ? explanationTooDeep : error.message }
    } finally {
      this.#trail.unnest()
    }
  }

  /** A rule's leaf goes on with what its prefix left of the path. */
  #leaf(value: Path | NamerLeaf, { path, dentry }: Place, depth: number): DelegateTree {
    const led = dentry === undefined ? {} : { dentry }
    if (!('kind' in value)) {
      const whole = dentry === undefined ? value : extendPath(value, path, dentry.prefix.length)
      return this.#lookup({ path: whole, ...led }, depth)
    }
    if (value.kind === 'path') return this.#lookup({ path: value.path, ...led }, depth)
    this.#spend({ path, ...led })
    return { kind: 'leaf', path, ...led, id: value.id, residual: value.residual }
  }

  /** A circle is followed to the end, for every step of it is shown. */
  #lookup(place: Place, depth: number): DelegateTree {
    this.#trail.circleFrom(place.path)
    this.#trail.refuseMoreLookups()
    this.#spend(place)
    this.#trail.enter(place.path)
    const tree = this.#step(place, depth)
    this.#trail.leave()
    return tree
  }

  #step(place: Place, depth: number): DelegateTree {
    const rules = this.#input.rules.matches(place.path)
    const [last] = rules
    this.#trail.spendOnMatches(rules.length)
    if (last === undefined || (rules.length === 1 && last.dst.kind === 'neg')) return this.#ask(place, depth)
    return rules.length === 1 ? this.#follow(place, last, depth + 1) : this.#weigh(place, rules, depth + 1)
  }

  /** One entry matches. A step that leads to where it began is not shown. */
  #follow(place: Place, rule: Dentry, depth: number): DelegateTree {
    this.#trail.follow(rule)
    const child = this.#tree(rule.dst, { path: place.path, dentry: rule }, depth)
    const isFinal = child.kind === 'neg' || child.kind === 'fail' || child.kind === 'empty'
    if (isFinal || !pathEquals(child.path, place.path)) return { kind: 'delegate', ...place, tree: child }
    return relabelled(child, place)
  }

  /** Several entries match: they are alternatives, the last one first. */
  #weigh(place: Place, rules: readonly Dentry[], depth: number): DelegateTree {
    this.#refuseBeyondLimit(depth)
    const explained: DelegateTree[] = []
    for (const rule of rules) {
      this.#trail.follow(rule)
      explained.push(this.#branch(rule.dst, { path: place.path, dentry: rule }, depth, place))
    }
    return altOf(place, explained)
  }

  /** No entry matches: the namers are asked. */
  #ask(place: Place, depth: number): DelegateTree {
    const state = this.#input.namers.lookup(place.path, this.#input.read)
    if (state.kind === 'pending') throw new Waiting(pendingOn(state.waitingFor ?? showPath(place.path)))
    this.#refuseBeyondLimit(depth + 1)
    if (state.kind === 'failed') return { kind: 'exception', ...place, message: state.error.message }
    return state.value.kind === 'neg' ? this.#neg(place) : this.#tree(state.value, place, depth + 1)
  }

  /** Namers tell only by a name's endpoints why it is neg. */
  #neg(place: Place): DelegateTree {
    for (const namer of this.#input.namers.under(place.path)) {
      const state = this.#input.read(namer.replicas(place.path), differsForPeople)
      const why = state.kind === 'ok' ? whyNeg(state.value) : undefined
      if (why !== undefined) return { kind: 'neg', ...place, why }
    }
    return { kind: 'neg', ...place }
  }
}

function whyNeg(replicas: ReplicaSet): string | undefined {
  return replicas.kind === 'neg' ? replicas.why : undefined
}

function differsForPeople(before: ReplicaSet, after: ReplicaSet): boolean {
  return before.kind !== after.kind || whyNeg(before) !== whyNeg(after)
}

/** An alternative directly inside another of the same path is one with it. */
function altOf(place: Place, children: readonly DelegateTree[]): DelegateTree {
  const trees = children.flatMap(child =>
    child.kind === 'alt' && pathEquals(child.path, place.path) ? child.trees : [child],
  )
  return { kind: 'alt', ...place, trees }
}

function relabelled(tree: DelegateTree, { dentry }: Place): DelegateTree {
  const { dentry: _, ...rest } = tree
  return dentry === undefined ? rest : { ...rest, dentry }
}
