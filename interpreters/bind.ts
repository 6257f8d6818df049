// The bind law: from one name to a tree of bound ids, over one dtab and the namers. Knows nothing of namespaces, pools or wires.
// The law is Finagle's (Namer.bind in com.twitter.finagle); where the rules lead in a circle it stops at the first turn.
import type { BoundName, BoundTree } from '../naming/bound-tree.ts'
import type { Dentry } from '../naming/dtab.ts'
import { extendPath } from '../naming/graft.ts'
import type { LookupIndex } from '../naming/lookup-index.ts'
import { empty, fail, leaf, type NameTree, neg, union, type Weighted } from '../naming/name-tree.ts'
import { emptyPath, type Path, pathEquals, showPath } from '../naming/path.ts'
import { pathSize } from '../naming/text-size.ts'
import type { Read } from '../watch/cell.ts'
import { failed, ok, pending, pendingOn, type State } from '../watch/state.ts'
import { maxBindWork, maxDepth } from './evaluation-limits.ts'
import type { NamerLeaf } from './namer.ts'
import type { Namers } from './namers.ts'
import { Exhausted, Trail } from './trail.ts'

export interface BindInput {
  readonly rules: LookupIndex
  readonly namers: Namers
  readonly read: Read
  readonly path: Path
}

export interface BindOutcome {
  /** Pending and failed as the deciding leaf is. */
  readonly state: State<BoundTree>
  /** The paths that were looked up in the rules, the first maxPathsKept + 1 of them. */
  readonly lookedUp: readonly Path[]
}

/** The binding of a path. Never throws. */
export function bind(input: BindInput): BindOutcome {
  return new Walk(input).run()
}

/** Separates labels in a key: their characters are bytes, so none is this one. */
const noByte = '\u0100'

/** A walk this short is not worth remembering. */
const rememberFrom = 16

/** What a node that is walked over costs beside its path. */
const nodeWork = 4

const okNeg: State<BoundTree> = ok(neg)
const okFail: State<BoundTree> = ok(fail)
const okEmpty: State<BoundTree> = ok(empty)

class Walk {
  readonly #input: BindInput
  readonly #trail: Trail
  /** The outermost open look-up that a circle ran back to since this was last reset: results inside it hang on it. */
  #circleTo = Number.POSITIVE_INFINITY
  #circle: State<BoundTree> | undefined
  #deep: State<BoundTree> | undefined
  /** Results by path and depth. */
  #known: Map<string, State<BoundTree>> | undefined
  /** Size of the text of each union made: remembered results may stand in many places. */
  #sizes: Map<BoundTree, number> | undefined

  constructor(input: BindInput) {
    this.#input = input
    this.#trail = new Trail(input.path, maxBindWork)
  }

  run(): BindOutcome {
    const state = this.#evaluateAll()
    return { state, lookedUp: this.#trail.lookedUp }
  }

  #evaluateAll(): State<BoundTree> {
    try {
      return this.#lookup(this.#input.path, 0)
    } catch (error) {
      if (error instanceof Exhausted) return failed(error.reason)
      throw error
    }
  }

  #tree(tree: NameTree<Path | NamerLeaf>, rule: Dentry | undefined, depth: number): State<BoundTree> {
    this.#trail.spend(nodeWork)
    switch (tree.kind) {
      case 'leaf':
        return this.#leaf(tree.value, rule, depth)
      case 'alt':
        return this.#alt(tree.trees, rule, depth)
      case 'union':
        return this.#union(tree.branches, rule, depth)
      case 'neg':
        return okNeg
      case 'fail':
        return okFail
      case 'empty':
        return okEmpty
    }
  }

  #leaf(value: Path | NamerLeaf, rule: Dentry | undefined, depth: number): State<BoundTree> {
    if (!('kind' in value)) return this.#lookup(this.#extended(value, rule), depth)
    if (value.kind === 'path') return this.#lookup(value.path, depth)
    return ok(leaf(this.#boundName(value.id, value.residual)))
  }

  /** A rule's leaf goes on with what its prefix left of the path that is being looked up. */
  #extended(value: Path, rule: Dentry | undefined): Path {
    const { path } = this.#trail
    return rule === undefined || path === undefined ? value : extendPath(value, path, rule.prefix.length)
  }

  /** Most ids are the path just looked up, most others are those of many names: they are shared, for a name holds little else. */
  #boundName(id: Path, residual: Path): BoundName {
    if (residual.length > 0) return { id: this.#input.namers.sharedId(id), residual }
    const { path } = this.#trail
    return { id: path !== undefined && pathEquals(path, id) ? path : id, residual: emptyPath }
  }

  /** The first alternative that is not Neg decides, whatever it is; later ones are not looked at. */
  #alt(trees: readonly NameTree<Path | NamerLeaf>[], rule: Dentry | undefined, depth: number): State<BoundTree> {
    this.#trail.nest()
    let state = okNeg
    for (const tree of trees) {
      state = this.#tree(tree, rule, depth)
      if (!isNeg(state)) break
    }
    this.#trail.unnest()
    return state
  }

  /** Pending and failed branches are dropped while one is known. */
  #union(branches: readonly Weighted<Path | NamerLeaf>[], rule: Dentry | undefined, depth: number): State<BoundTree> {
    this.#trail.nest()
    const known: Weighted<BoundName>[] = []
    let failure: State<BoundTree> | undefined
    let waiting: State<BoundTree> | undefined
    for (const { weight, tree } of branches) {
      const state = this.#tree(tree, rule, depth)
      if (state.kind === 'ok') known.push({ weight, tree: state.value })
      else if (state.kind === 'failed') failure ??= state
      else waiting ??= state
    }
    this.#trail.unnest()
    if (known.length === 0 && branches.length > 0) return failure ?? waiting ?? pending
    return ok(this.#measured(simplifiedUnion(known)))
  }

  /** A result in which remembered parts stand again and again can be far larger than the work that made it. */
  #measured(tree: BoundTree): BoundTree {
    if (tree.kind !== 'union' || this.#sizes?.has(tree)) return tree
    const size = tree.branches.reduce((total, branch) => total + this.#sizeOf(branch.tree), 0)
    if (size > maxBindWork) throw new Exhausted(this.#trail.tooLarge())
    this.#sizes ??= new Map()
    this.#sizes.set(tree, size)
    return tree
  }

  #sizeOf(tree: BoundTree): number {
    if (tree.kind === 'leaf') return nodeWork + pathSize(tree.value.id) + pathSize(tree.value.residual)
    return this.#sizes?.get(tree) ?? nodeWork
  }

  #lookup(path: Path, depth: number): State<BoundTree> {
    const circleFrom = this.#trail.circleFrom(path)
    if (circleFrom >= 0) return this.#turnBack(circleFrom)
    this.#trail.refuseMoreLookups()
    this.#trail.spend(pathSize(path))
    if (this.#trail.lookups < rememberFrom) return this.#evaluate(path, depth)
    const key = `${depth}${path.join(noByte)}`
    const known = this.#known?.get(key)
    if (known !== undefined) return known
    return this.#remember(key, path, depth)
  }

  /** Keeps a result unless it hangs on a look-up that is still open. */
  #remember(key: string, path: Path, depth: number): State<BoundTree> {
    const outer = this.#circleTo
    this.#circleTo = Number.POSITIVE_INFINITY
    const state = this.#evaluate(path, depth)
    if (this.#circleTo >= this.#trail.depth) {
      this.#known ??= new Map()
      this.#known.set(key, state)
    }
    this.#circleTo = Math.min(outer, this.#circleTo)
    return state
  }

  #evaluate(path: Path, depth: number): State<BoundTree> {
    this.#trail.enter(path)
    const state = this.#step(path, depth + 1)
    this.#trail.leave()
    return state
  }

  /** Several rules that match are alternatives; where none does, or one that says Neg, the namers are asked. */
  #step(path: Path, depth: number): State<BoundTree> {
    const rules = this.#input.rules.matches(path)
    const [last] = rules
    if (last === undefined || (rules.length === 1 && last.dst.kind === 'neg')) return this.#ask(path, depth)
    this.#trail.spendOnMatches(rules.length)
    if (depth > maxDepth) return this.#tooDeep()
    if (rules.length === 1) return this.#follow(last, depth)
    return this.#weigh(rules, depth)
  }

  /** Rules are alternatives as those of a tree are. */
  #weigh(rules: readonly Dentry[], depth: number): State<BoundTree> {
    this.#trail.nest()
    let state = okNeg
    for (const rule of rules) {
      state = this.#follow(rule, depth)
      if (!isNeg(state)) break
    }
    this.#trail.unnest()
    return state
  }

  #follow(rule: Dentry, depth: number): State<BoundTree> {
    this.#trail.follow(rule)
    return this.#tree(rule.dst, rule, depth)
  }

  #ask(path: Path, depth: number): State<BoundTree> {
    const { namers, read } = this.#input
    const named = namers.lookup(path, read)
    if (named.kind === 'pending') return named.waitingFor === undefined ? pendingOn(showPath(path)) : named
    if (named.kind === 'failed') return named
    return depth > maxDepth ? this.#tooDeep() : this.#tree(named.value, undefined, depth)
  }

  #tooDeep(): State<BoundTree> {
    this.#deep ??= failed(this.#trail.tooDeep())
    return this.#deep
  }

  #turnBack(circleFrom: number): State<BoundTree> {
    this.#circleTo = Math.min(this.#circleTo, circleFrom)
    this.#circle ??= failed(this.#trail.endlessCycle())
    return this.#circle
  }
}

function isNeg(state: State<BoundTree>): boolean {
  return state.kind === 'ok' && state.value.kind === 'neg'
}

/** The children are simplified already: only this level is left to do. */
function simplifiedUnion(branches: readonly Weighted<BoundName>[]): BoundTree {
  const [first] = branches
  if (branches.length === 1 && first !== undefined) return first.tree
  const kept = branches.filter(branch => branch.tree.kind !== 'neg' && branch.tree.kind !== 'fail')
  const [only] = kept
  if (only === undefined) return neg
  return kept.length === 1 ? only.tree : union(kept)
}
