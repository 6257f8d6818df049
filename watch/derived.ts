// A cell computed from others. "Perhaps changed" is pushed down to it; whether it has is found out by asking what it
// read, in the order in which it read it, when someone wants to know. Recursion goes only through computing cells that
// read cells never computed before; checking a live graph does not recurse, whatever its depth.
import type { Affects, Cell, CellOptions, Compute, Read } from './cell.ts'
import { type Core, errorFrom } from './core.ts'
import { Link, Node, nodeBehind } from './node.ts'
import { failed, ok, pending, type Stale, type State } from './state.ts'

/** How many first computations may be under way, each reading the next. A live graph may be of any depth. */
const maxNesting = 500

const maxNamesInMessage = 20

/** A source that sets what was read before it was opened mixes two versions, so all is checked again, this often at most. */
const maxRounds = 10

/** Bits of a derivation's flags. */
const perhapsChanged = 1
const neverComputed = 2
const busy = 4
const live = 8
const mustCheck = perhapsChanged | neverComputed

/** Methods are `private` and not `#`: for those an object has a hidden field, and there are very many of these. */
export class DerivedNode extends Node {
  readonly #compute: Compute<unknown>
  #firstRead: Link | undefined
  #flags = neverComputed

  constructor(core: Core, name: string, compute: Compute<unknown>, options: CellOptions<unknown>) {
    super(core, name, options)
    this.#compute = compute
  }

  override get isBusy(): boolean {
    return (this.#flags & busy) !== 0
  }

  override unsettled(): DerivedNode | undefined {
    return (this.#flags & mustCheck) !== 0 && !this.isBusy ? this : undefined
  }

  private get mustSettle(): boolean {
    return (this.#flags & mustCheck) !== 0 && this.isObserved
  }

  /** Notes that something upstream changed; true when downstream has to be told too. */
  mark(): boolean {
    if ((this.#flags & mustCheck) !== 0) return false
    this.#flags |= perhapsChanged
    return true
  }

  refresh(): State<unknown> {
    if (this.isBusy) return this.state
    if (!this.isObserved) return this.peekUnobserved()
    for (let rounds = 0; rounds < maxRounds && this.mustSettle; rounds++) this.settle()
    return this.state
  }

  protected activate(): void {
    if ((this.#flags & live) !== 0) return
    this.#flags |= live
    this.occupy()
  }

  /** One that is busy sees to it itself when it is done. */
  protected deactivate(): void {
    if ((this.#flags & live) === 0 || this.isBusy) return
    this.#flags = neverComputed
    this.state = pending
    this.dropReads(undefined)
    this.release()
  }

  /** Brings this cell and what it read up to date, upstream first. */
  private settle(): void {
    const descent: Link[] = []
    let node: DerivedNode = this
    let link = node.enter()
    for (;;) {
      while (link !== undefined) {
        const upstream: DerivedNode | undefined = link.source.unsettled()
        if (upstream === undefined) link = node.check(link)
        else {
          descent.push(link)
          node = upstream
          link = node.enter()
        }
      }
      node.leave()
      const way = descent.pop()
      if (way === undefined) return
      node = way.target
      link = node.check(way)
    }
  }

  /** Gives the first read to check. The marks go now, so that a change that comes meanwhile marks it anew. */
  private enter(): Link | undefined {
    const isNew = (this.#flags & neverComputed) !== 0
    this.#flags = (this.#flags & ~mustCheck) | busy
    this.core.busy.push(this)
    if (!isNew) return this.#firstRead
    this.recompute()
    return undefined
  }

  private leave(): void {
    this.core.busy.pop()
    this.#flags &= ~busy
    if (!this.isObserved) this.deactivate()
  }

  /** Gives the next read to check, or nothing when this one has changed and all was computed again. */
  private check(link: Link): Link | undefined {
    if (!link.source.isBusy && !this.hasChanged(link)) return link.nextRead
    this.recompute()
    return undefined
  }

  private hasChanged(link: Link): boolean {
    const now = link.source.state
    if (now === link.seen) return false
    if (this.isAffected(link, link.seen, now)) return true
    link.seen = now
    return false
  }

  private isAffected({ affects }: Link, before: State<unknown>, now: State<unknown>): boolean {
    if (affects === undefined || before.kind !== 'ok' || now.kind !== 'ok' || before.stale !== now.stale) return true
    try {
      return typeof affects === 'function' ? affects(before.value, now.value) : affects.affects(before.value, now.value)
    } catch (error) {
      this.core.options.onError(error, this.name)
      return true
    }
  }

  private recompute(): void {
    this.setState(this.run(true))
  }

  /** The link for a read after `last`: the old one when it is in its place, else a new one. */
  private linkTo(node: Node, last: Link | undefined, affects: Affects<unknown> | undefined): Link {
    const old = last === undefined ? this.#firstRead : last.nextRead
    if (old?.source === node) {
      old.affects = affects
      return old
    }
    const link = new Link(node, this, affects)
    link.nextRead = old
    if (last === undefined) this.#firstRead = link
    else last.nextRead = link
    node.join(link)
    return link
  }

  /** Forgets the reads after `last`, all when it is absent. */
  private dropReads(last: Link | undefined): void {
    let link = last === undefined ? this.#firstRead : last.nextRead
    if (last === undefined) this.#firstRead = undefined
    else last.nextRead = undefined
    for (; link !== undefined; link = link.nextRead) link.source.part(link)
  }

  /** Computes it; with links to what it reads, it is told of their changes. Old links go last, so that what is read again stays open. */
  private run(isLinked: boolean): State<unknown> {
    const { core } = this
    let isOpen = true
    let last: Link | undefined
    let oldest: Stale | undefined
    const read = (cell: Cell<unknown>, affects?: Affects<unknown>): State<unknown> => {
      if (!isOpen) throw new Error(`${this.name}: read was called after its derivation ended`)
      const node = nodeBehind(cell, core)
      this.refuseEndless(node, read)
      if (isLinked) last = this.linkTo(node, last, affects)
      const link = last
      const state = node.refresh()
      if (link !== undefined) link.seen = state
      if (state.kind === 'ok') oldest = olderOf(oldest, state.stale)
      return state
    }
    core.evaluations++
    core.nesting++
    try {
      const compute = this.#compute
      // A cell's state is of the cell's own type; only the node does not know it.
      const state = typeof compute === 'function' ? compute(read as Read) : compute.compute(read as Read)
      return state.kind === 'ok' ? withStale(state, oldest) : state
    } catch (error) {
      return failed(errorFrom(error))
    } finally {
      core.nesting--
      isOpen = false
      if (isLinked) this.dropReads(last)
    }
  }

  /**
   * Throws on a cell that is being computed from this one, and on nesting too deep. A cell that fails so depends on all
   * inputs and sources that led round, so that it is tried again when one of them changes, and no link closes a circle.
   */
  private refuseEndless(node: Node, read: (cell: Cell<unknown>) => unknown): void {
    if (node.isBusy) {
      const circle = this.core.busy.slice(this.core.busy.indexOf(node))
      for (const leaf of leavesOf(circle)) read(leaf)
      throw new Error(`cycle: ${namesOf([...circle, node])}`)
    }
    if (this.core.nesting >= maxNesting && node.unsettled() !== undefined)
      throw new Error(`more than ${maxNesting} cells would be computed inside each other: ${namesOf(this.core.busy)}`)
  }

  /** A peek at a cell that nobody observes: computed and forgotten, opening nothing, each cell once per peek. */
  private peekUnobserved(): State<unknown> {
    const { core } = this
    const isOutermost = core.peeked === undefined
    core.peeked ??= new Map()
    const known = core.peeked.get(this)
    if (known !== undefined) return known
    this.#flags |= busy
    core.busy.push(this)
    const state = this.run(false)
    core.busy.pop()
    this.#flags &= ~busy
    if (isOutermost) core.peeked = undefined
    else core.peeked?.set(this, state)
    return state
  }

  static *readsOf(node: DerivedNode): Iterable<Node> {
    for (let link = node.#firstRead; link !== undefined; link = link.nextRead) yield link.source
  }
}

/** Every input and source from which the nodes are derived. */
function leavesOf(nodes: readonly Node[]): readonly Node[] {
  const reached = new Set<Node>(nodes)
  for (const node of reached)
    if (node instanceof DerivedNode) for (const source of DerivedNode.readsOf(node)) reached.add(source)
  return [...reached].filter(node => !(node instanceof DerivedNode))
}

function namesOf(nodes: readonly Node[]): string {
  const names = nodes.map(node => node.name)
  if (names.length <= maxNamesInMessage) return names.join(' > ')
  const half = maxNamesInMessage / 2
  return [...names.slice(0, half), `(${names.length - maxNamesInMessage} more)`, ...names.slice(-half)].join(' > ')
}

function olderOf(a: Stale | undefined, b: Stale | undefined): Stale | undefined {
  return a === undefined || (b !== undefined && b.since < a.since) ? b : a
}

/** A value made from stale values is stale since the oldest of them. */
function withStale(state: State<unknown> & { readonly kind: 'ok' }, oldest: Stale | undefined): State<unknown> {
  const stale = olderOf(state.stale, oldest)
  return stale === state.stale ? state : ok(state.value, stale)
}
