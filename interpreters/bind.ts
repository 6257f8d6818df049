// The bind law: from one name to a tree of bound ids, over one dtab and the namers. Knows nothing of namespaces, pools or wires.
// The law is Finagle's (Namer.bind in com.twitter.finagle); where the rules lead in a circle it stops at the first turn.
import type { BoundName, BoundTree } from '../naming/bound-tree.ts'
import type { NamingError } from '../naming/errors.ts'
import type { LookupIndex } from '../naming/lookup-index.ts'
import { empty, fail, leaf, type NameTree, neg, union, type Weighted } from '../naming/name-tree.ts'
import { emptyPath, type Path, pathEquals, showPath } from '../naming/path.ts'
import type { Read } from '../watch/cell.ts'
import { failed, ok, pending, pendingOn, type State } from '../watch/state.ts'
import {
  endlessCycle,
  maxDepth,
  maxLookups,
  maxNesting,
  maxPathsKept,
  openAt,
  tooDeep,
  tooMuchWork,
  tooNested,
} from './evaluation-limits.ts'
import type { NamerLeaf } from './namer.ts'
import type { Namers } from './namers.ts'

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

const okNeg: State<BoundTree> = ok(neg)
const okFail: State<BoundTree> = ok(fail)
const okEmpty: State<BoundTree> = ok(empty)

/** Ends the whole walk, through unions that would drop a failed branch. */
class Exhausted extends Error {
  readonly reason: NamingError

  constructor(reason: NamingError) {
    super(reason.message)
    this.reason = reason
  }
}

class Walk {
  readonly #input: BindInput
  /** The look-ups that are open, outermost first. */
  readonly #open: Path[] = []
  readonly #lookedUp: Path[] = []
  #nesting = 0
  /** The outermost open look-up that a circle ran back to since this was last reset: results inside it hang on it. */
  #circleTo = Number.POSITIVE_INFINITY
  #circle: { readonly path: readonly Path[]; readonly state: State<BoundTree> } | undefined
  #deep: State<BoundTree> | undefined
  /** Results by path and depth. */
  #known: Map<string, State<BoundTree>> | undefined

  constructor(input: BindInput) {
    this.#input = input
  }

  run(): BindOutcome {
    const state = this.#evaluateAll()
    // The slice has none of the room to grow that the array keeps.
    return { state, lookedUp: this.#lookedUp.slice(0, maxPathsKept + 1) }
  }

  #evaluateAll(): State<BoundTree> {
    try {
      return this.#lookup(this.#input.path, 0)
    } catch (error) {
      if (error instanceof Exhausted) return failed(error.reason)
      throw error
    }
  }

  #tree(tree: NameTree<Path | NamerLeaf>, depth: number): State<BoundTree> {
    switch (tree.kind) {
      case 'leaf':
        return this.#leaf(tree.value, depth)
      case 'alt':
        return this.#nested(() => this.#alt(tree.trees, depth))
      case 'union':
        return this.#nested(() => this.#union(tree.branches, depth))
      case 'neg':
        return okNeg
      case 'fail':
        return okFail
      case 'empty':
        return okEmpty
    }
  }

  #leaf(value: Path | NamerLeaf, depth: number): State<BoundTree> {
    if (!('kind' in value)) return this.#lookup(value, depth)
    if (value.kind === 'path') return this.#lookup(value.path, depth)
    return ok(leaf(this.#boundName(value.id, value.residual)))
  }

  /** Most ids are the path just looked up: they share it, which halves what a name holds. */
  #boundName(id: Path, residual: Path): BoundName {
    if (residual.length > 0) return { id, residual }
    const path = this.#open.at(-1)
    return { id: path !== undefined && pathEquals(path, id) ? path : id, residual: emptyPath }
  }

  /** The first child that is not Neg decides, whatever it is; later ones are not looked at. */
  #alt(trees: readonly NameTree<Path | NamerLeaf>[], depth: number): State<BoundTree> {
    for (const tree of trees) {
      const state = this.#tree(tree, depth)
      if (state.kind !== 'ok' || state.value.kind !== 'neg') return state
    }
    return okNeg
  }

  /** Pending and failed branches are dropped while one is known. */
  #union(branches: readonly Weighted<Path | NamerLeaf>[], depth: number): State<BoundTree> {
    const known: Weighted<BoundName>[] = []
    let failure: State<BoundTree> | undefined
    let waiting: State<BoundTree> | undefined
    for (const { weight, tree } of branches) {
      const state = this.#tree(tree, depth)
      if (state.kind === 'ok') known.push({ weight, tree: state.value })
      else if (state.kind === 'failed') failure ??= state
      else waiting ??= state
    }
    if (known.length === 0 && branches.length > 0) return failure ?? waiting ?? pending
    return ok(simplifiedUnion(known))
  }

  #nested(evaluate: () => State<BoundTree>): State<BoundTree> {
    if (++this.#nesting > maxNesting) throw new Exhausted(tooNested(this.#input.path))
    const state = evaluate()
    this.#nesting--
    return state
  }

  #lookup(path: Path, depth: number): State<BoundTree> {
    const circleFrom = openAt(this.#open, path)
    if (circleFrom >= 0) return this.#turnBack(circleFrom)
    if (this.#lookedUp.length >= maxLookups) throw new Exhausted(tooMuchWork(this.#input.path, this.#circle?.path))
    if (this.#lookedUp.length < rememberFrom) return this.#evaluate(path, depth)
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
    if (this.#circleTo >= this.#open.length) {
      this.#known ??= new Map()
      this.#known.set(key, state)
    }
    this.#circleTo = Math.min(outer, this.#circleTo)
    return state
  }

  #evaluate(path: Path, depth: number): State<BoundTree> {
    this.#open.push(path)
    const step = this.#step(path)
    const state = step.kind === 'ok' ? this.#follow(step.value, depth + 1) : step
    this.#open.pop()
    return state
  }

  #follow(tree: NameTree<Path | NamerLeaf>, depth: number): State<BoundTree> {
    if (depth <= maxDepth) return this.#tree(tree, depth)
    this.#deep ??= failed(tooDeep(this.#open))
    return this.#deep
  }

  #step(path: Path): State<NameTree<Path | NamerLeaf>> {
    const { rules, namers, read } = this.#input
    this.#lookedUp.push(path)
    const tree = rules.lookup(path)
    if (tree.kind !== 'neg') return ok(tree)
    const named = namers.lookup(path, read)
    return named.kind === 'pending' && named.waitingFor === undefined ? pendingOn(showPath(path)) : named
  }

  #turnBack(circleFrom: number): State<BoundTree> {
    this.#circleTo = Math.min(this.#circleTo, circleFrom)
    if (this.#circle === undefined) {
      const path = this.#open.slice(circleFrom)
      this.#circle = { path, state: failed(endlessCycle(path)) }
    }
    return this.#circle.state
  }
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
