// A dtab compiled for lookup: the cost of one is that of its matches, whatever the size of the table. Immutable once built.

import type { Dentry, Dtab, Prefix } from './dtab.ts'
import { type Alignment, alignDtabs } from './dtab-alignment.ts'
import { graft } from './graft.ts'
import { alt, type NameTree, neg } from './name-tree.ts'
import type { Path } from './path.ts'
import { collectMatches, TrieEditor, type TrieNode } from './prefix-trie.ts'

export interface LookupIndex {
  /** The entries that were compiled. */
  readonly dtab: Dtab
  /** One step of evaluation: no match is neg, one match its tree, more an alternative of their trees, last entry first. */
  lookup(path: Path): NameTree<Path>
  /** The entries that match, last one first. Nothing is appended to their trees, however large. */
  matches(path: Path): readonly Dentry[]
}

/** A compilation that does its work in slices. */
export interface LookupIndexBuilder {
  /** Handles up to `maxEntries` more entries, then says 'more' or gives the index. */
  build(maxEntries: number): 'more' | LookupIndex
}

/** Compiles a dtab in one go. With `previous`, costs what differs from it. */
export function createLookupIndex(dtab: Dtab, previous?: LookupIndex): LookupIndex {
  const index = createLookupIndexBuilder(dtab, previous).build(Number.POSITIVE_INFINITY)
  if (index === 'more') throw new Error('an unlimited compilation stopped early')
  return index
}

/** Compiles a dtab in slices. `previous` stays valid. The comparison with it is one step: about 0.1 µs an entry. */
export function createLookupIndexBuilder(dtab: Dtab, previous?: LookupIndex): LookupIndexBuilder {
  return (previous instanceof TrieIndex ? Compilation.onTopOf(previous, dtab) : undefined) ?? Compilation.ofAll(dtab)
}

/** The index of `first`'s entries followed by `second`'s, as when a local dtab is appended. Compiles nothing. */
export function chainLookupIndexes(first: LookupIndex, second: LookupIndex): LookupIndex {
  if (second.dtab.length === 0) return first
  return first.dtab.length === 0 ? second : new ChainedIndex(first, second)
}

/** A dentry at its rank. Ranks ascend with the entries but are not their indexes: an insertion ranks between its neighbours. */
interface Entry {
  readonly prefix: Prefix
  readonly order: number
  readonly dentry: Dentry
}

class TrieIndex implements LookupIndex {
  readonly dtab: Dtab
  /** Rank of each entry of `dtab`. */
  readonly orders: Float64Array
  readonly root: TrieNode<Entry>
  /** Scratch of the walk in progress; walks never overlap. */
  readonly #found: Entry[] = []

  constructor(dtab: Dtab, orders: Float64Array, root: TrieNode<Entry>) {
    this.dtab = dtab
    this.orders = orders
    this.root = root
  }

  lookup(path: Path): NameTree<Path> {
    const found = this.#found
    const count = this.#collect(path)
    const last = found[0]
    if (last === undefined || count === 0) return neg
    if (count === 1) return treeFor(last.dentry, path)
    const trees = new Array<NameTree<Path>>(count)
    for (let i = 0; i < count; i++) trees[i] = treeFor((found[i] ?? last).dentry, path)
    return alt(trees)
  }

  matches(path: Path): readonly Dentry[] {
    const count = this.#collect(path)
    return this.#found.slice(0, count).map(entry => entry.dentry)
  }

  /** Puts the matching entries, last first, at the head of the scratch array; gives their number. */
  #collect(path: Path): number {
    const count = collectMatches(this.root, path, this.#found)
    if (count > 1) sortLastFirst(this.#found, count)
    return count
  }
}

const fewEntries = 16

/** Most paths match two or three entries, for which a general sort costs more than the walk. */
function sortLastFirst(entries: Entry[], count: number): void {
  if (count > fewEntries) {
    entries.length = count
    entries.sort((a, b) => b.order - a.order)
    return
  }
  for (let i = 1; i < count; i++) {
    const entry = entries[i]
    let place = i
    for (let before = entries[place - 1]; entry && before && before.order < entry.order; before = entries[place - 1]) {
      entries[place] = before
      place--
    }
    if (entry !== undefined) entries[place] = entry
  }
}

function treeFor(dentry: Dentry, path: Path): NameTree<Path> {
  return graft(dentry.dst, path, dentry.prefix.length)
}

class ChainedIndex implements LookupIndex {
  readonly #first: LookupIndex
  readonly #second: LookupIndex

  constructor(first: LookupIndex, second: LookupIndex) {
    this.#first = first
    this.#second = second
  }

  get dtab(): Dtab {
    return [...this.#first.dtab, ...this.#second.dtab]
  }

  lookup(path: Path): NameTree<Path> {
    const matches = this.matches(path)
    const [last] = matches
    if (last === undefined) return neg
    return matches.length === 1 ? treeFor(last, path) : alt(matches.map(dentry => treeFor(dentry, path)))
  }

  matches(path: Path): readonly Dentry[] {
    const later = this.#second.matches(path)
    const earlier = this.#first.matches(path)
    return later.length === 0 ? earlier : [...later, ...earlier]
  }
}

/** The edits that turn a trie into that of a dtab, done a few at a time. */
class Compilation implements LookupIndexBuilder {
  readonly #dtab: Dtab
  readonly #orders: Float64Array
  readonly #editor: TrieEditor<Entry>
  readonly #removed: readonly Entry[]
  /** Indexes in the dtab. */
  readonly #added: readonly number[]
  #done = 0

  private constructor(plan: {
    readonly dtab: Dtab
    readonly orders: Float64Array
    readonly root?: TrieNode<Entry>
    readonly removed: readonly Entry[]
    readonly added: readonly number[]
  }) {
    this.#dtab = plan.dtab
    this.#orders = plan.orders
    this.#editor = new TrieEditor(plan.root)
    this.#removed = plan.removed
    this.#added = plan.added
  }

  static ofAll(dtab: Dtab): Compilation {
    const added = Array.from(dtab, (_, index) => index)
    return new Compilation({ dtab, orders: Float64Array.from(added), removed: [], added })
  }

  /** Undefined when starting afresh is cheaper, or when no rank is left between two neighbours. */
  static onTopOf(previous: TrieIndex, dtab: Dtab): Compilation | undefined {
    const alignment = alignDtabs(previous.dtab, dtab)
    if (alignment.removed.length > previous.dtab.length / 2) return undefined
    const orders = rank(previous.orders, dtab.length, alignment)
    if (orders === undefined) return undefined
    const removed = alignment.removed.flatMap(index => {
      const dentry = previous.dtab[index]
      return dentry === undefined ? [] : [{ prefix: dentry.prefix, dentry, order: previous.orders[index] ?? 0 }]
    })
    return new Compilation({ dtab, orders, root: previous.root, removed, added: alignment.added })
  }

  build(maxEntries: number): 'more' | LookupIndex {
    const all = this.#removed.length + this.#added.length
    const end = Math.min(all, this.#done + Math.max(1, maxEntries))
    for (; this.#done < end; this.#done++) this.#edit(this.#done)
    return this.#done < all ? 'more' : new TrieIndex(this.#dtab, this.#orders, this.#editor.root)
  }

  #edit(step: number): void {
    const removed = this.#removed[step]
    if (removed !== undefined) {
      this.#editor.remove(removed)
      return
    }
    const index = this.#added[step - this.#removed.length]
    const dentry = index === undefined ? undefined : this.#dtab[index]
    if (index === undefined || dentry === undefined) return
    this.#editor.add({ prefix: dentry.prefix, order: this.#orders[index] ?? 0, dentry })
  }
}

/** Ranks of the next dtab: kept entries keep theirs, new ones stand between. Undefined when two would be equal. */
function rank(before: Float64Array, length: number, { removed, added }: Alignment): Float64Array | undefined {
  const kept = withoutIndexes(before, removed)
  const orders = new Float64Array(length)
  let keptDone = 0
  let addedDone = 0
  for (let index = 0; index < length; ) {
    const runStart = index
    while (added[addedDone] === index) {
      addedDone++
      index++
    }
    fillRun(orders.subarray(runStart, index), kept[keptDone - 1], kept[keptDone])
    if (index < length) orders[index++] = kept[keptDone++] ?? 0
  }
  return orders.every((order, index) => index === 0 || order > (orders[index - 1] ?? 0)) ? orders : undefined
}

/** The values at all other indexes; `gone` ascends. */
function withoutIndexes(values: Float64Array, gone: readonly number[]): Float64Array {
  const kept = new Float64Array(values.length - gone.length)
  let from = 0
  let to = 0
  for (const index of [...gone, values.length]) {
    kept.set(values.subarray(from, index), to)
    to += index - from
    from = index + 1
  }
  return kept
}

/** Spreads new ranks evenly between the neighbours' ranks, either of which may be absent. */
function fillRun(run: Float64Array, below: number | undefined, above: number | undefined): void {
  const low = below ?? (above ?? 0) - run.length - 1
  const high = above ?? low + run.length + 1
  for (let i = 0; i < run.length; i++) run[i] = low + ((high - low) * (i + 1)) / (run.length + 1)
}
