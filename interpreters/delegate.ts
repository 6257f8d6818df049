// The explanation of a name: every alternative is followed and kept, each step with the dentry that led there.
// Shape and depth rules are those of linkerd 1's delegator. Knows nothing of namespaces, pools or wires.
import type { Dentry } from '../naming/dtab.ts'
import { NamingError } from '../naming/errors.ts'
import type { LookupIndex, Match } from '../naming/lookup-index.ts'
import type { NameTree } from '../naming/name-tree.ts'
import { emptyPath, type Path, pathEquals, showPath } from '../naming/path.ts'
import type { Read } from '../watch/cell.ts'
import { failed, ok, pendingOn, type State } from '../watch/state.ts'
import { maxDepth, maxLookups, maxNesting, maxPathsKept, openAt, tooMuchWork, tooNested } from './evaluation-limits.ts'
import type { DelegateTree } from './interpreter.ts'
import type { NamerLeaf } from './namer.ts'
import type { Namers } from './namers.ts'
import { explainUnknownNamer } from './unknown-namer.ts'

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
class Stopped extends Error {
  readonly state: State<DelegateTree>

  constructor(state: State<DelegateTree>) {
    super('the explanation stopped')
    this.state = state
  }
}

class Walk {
  readonly #input: DelegateInput
  readonly #open: Path[] = []
  readonly #lookedUp: Path[] = []
  #nesting = 0
  #circle: readonly Path[] | undefined
  #tooDeep: NamingError | undefined

  constructor(input: DelegateInput) {
    this.#input = input
  }

  run(): DelegateOutcome {
    const state = this.#explainAll()
    return { state, lookedUp: this.#lookedUp.slice(0, maxPathsKept + 1) }
  }

  #explainAll(): State<DelegateTree> {
    const { tree } = this.#input
    const path = tree.kind === 'leaf' ? tree.value : emptyPath
    try {
      return ok(this.#tree(tree, { path }, 0))
    } catch (error) {
      if (error instanceof Stopped) return error.state
      if (error instanceof NamingError) return failed(error)
      throw error
    }
  }

  #tree(tree: NameTree<Path | NamerLeaf>, place: Place, depth: number): DelegateTree {
    this.#refuseBeyondLimit(depth)
    switch (tree.kind) {
      case 'neg':
        return { kind: 'neg', ...place, path: emptyPath }
      case 'fail':
      case 'empty':
        return { kind: tree.kind, ...place }
      case 'leaf':
        return this.#leaf(tree.value, place, depth)
      case 'alt':
        return altOf(
          place,
          tree.trees.map(child => this.#branch(child, place, depth)),
        )
      case 'union': {
        const branches = tree.branches.map(({ weight, tree: child }) => ({
          weight,
          tree: this.#branch(child, place, depth),
        }))
        return { kind: 'union', ...place, branches }
      }
    }
  }

  /** linkerd's words; whoever is inside an alternative or union makes an exception node of it. One error serves all. */
  #refuseBeyondLimit(depth: number): void {
    if (depth <= maxDepth) return
    this.#tooDeep ??= new NamingError('name-too-deep', 'Max recursion level reached.')
    throw this.#tooDeep
  }

  /** A child of an alternative or union: what goes wrong in it stays in it. */
  #branch(tree: NameTree<Path | NamerLeaf>, place: Place, depth: number, within = place): DelegateTree {
    if (++this.#nesting > maxNesting) throw new Stopped(failed(tooNested(this.#open[0])))
    try {
      return this.#tree(tree, place, depth)
    } catch (error) {
      if (!(error instanceof NamingError)) throw error
      return { kind: 'exception', ...within, message: error.message }
    } finally {
      this.#nesting--
    }
  }

  #leaf(value: Path | NamerLeaf, { path, dentry }: Place, depth: number): DelegateTree {
    const led = dentry === undefined ? {} : { dentry }
    if (!('kind' in value)) return this.#lookup({ path: value, ...led }, depth)
    if (value.kind === 'path') return this.#lookup({ path: value.path, ...led }, depth)
    return { kind: 'leaf', path, ...led, id: value.id, residual: value.residual }
  }

  #lookup(place: Place, depth: number): DelegateTree {
    this.#count(place.path)
    this.#open.push(place.path)
    try {
      this.#lookedUp.push(place.path)
      const matches = this.#input.rules.matches(place.path)
      const [match] = matches
      if (match === undefined || (matches.length === 1 && match.tree.kind === 'neg')) return this.#ask(place, depth)
      return matches.length === 1 ? this.#follow(place, match, depth + 1) : this.#weigh(place, matches, depth + 1)
    } finally {
      this.#open.pop()
    }
  }

  #count(path: Path): void {
    const circleFrom = openAt(this.#open, path)
    if (circleFrom >= 0) this.#circle ??= this.#open.slice(circleFrom)
    if (this.#lookedUp.length >= maxLookups) throw new Stopped(failed(tooMuchWork(this.#open[0], this.#circle)))
  }

  /** One entry matches. A step that leads to where it began is not shown. */
  #follow(place: Place, { dentry, tree }: Match, depth: number): DelegateTree {
    const child = this.#tree(tree, { path: place.path, dentry }, depth)
    const isFinal = child.kind === 'neg' || child.kind === 'fail' || child.kind === 'empty'
    if (isFinal || !pathEquals(child.path, place.path)) return { kind: 'delegate', ...place, tree: child }
    return relabelled(child, place)
  }

  /** Several entries match: they are alternatives, the last one first. */
  #weigh(place: Place, matches: readonly Match[], depth: number): DelegateTree {
    this.#refuseBeyondLimit(depth)
    return altOf(
      place,
      matches.map(({ dentry, tree }) => this.#branch(tree, { path: place.path, dentry }, depth, place)),
    )
  }

  /** No entry matches: the namers are asked. */
  #ask(place: Place, depth: number): DelegateTree {
    const state = this.#input.namers.lookup(place.path, this.#input.read)
    if (state.kind === 'pending') throw new Stopped(pendingOn(state.waitingFor ?? showPath(place.path)))
    this.#refuseBeyondLimit(depth + 1)
    if (state.kind === 'failed') return { kind: 'exception', ...place, message: messageOf(state.error, place.path) }
    return state.value.kind === 'neg' ? { kind: 'neg', ...place } : this.#tree(state.value, place, depth + 1)
  }
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

function messageOf(error: Error, path: Path): string {
  return error instanceof NamingError && error.code === 'unknown-namer' ? explainUnknownNamer(path) : error.message
}
