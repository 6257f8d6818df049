// An immutable trie from prefixes to ordered values. An edit copies only the nodes on its way, so old roots stay valid.
import type { Prefix, PrefixElem } from './dtab.ts'
import type { Label, Path } from './path.ts'

/** A value under its prefix. Values of one node are held by ascending order. */
export interface Ranked {
  readonly prefix: Prefix
  readonly order: number
}

/** A node without children holds this many values of any prefix that leads to it before it branches. */
const bucketSize = 8

/** Deeper elements are compared one by one, so that a prefix of a million elements costs no million nodes. */
const maxDepth = 64

/** Who made a node: a bare token, since a node that knew its editor would hold that editor's whole version in memory. */
type Maker = { readonly maker: true }

/** One node. Only the editor that made it may change it, and only until the root is handed out. */
export class TrieNode<V extends Ranked> {
  readonly maker: Maker
  /** Ascending by order. With children: the values whose prefix ends here, or goes on beyond the depth limit. */
  values: V[]
  children: Map<Label, TrieNode<V>> | undefined
  /** What `*` leads to. */
  any: TrieNode<V> | undefined

  constructor(maker: Maker, values: V[]) {
    this.maker = maker
    this.values = values
  }

  get branches(): boolean {
    return this.children !== undefined || this.any !== undefined
  }

  child(elem: PrefixElem): TrieNode<V> | undefined {
    return elem === null ? this.any : this.children?.get(elem)
  }

  setChild(elem: PrefixElem, child: TrieNode<V>): void {
    if (elem === null) {
      this.any = child
      return
    }
    this.children ??= new Map()
    this.children.set(elem, child)
  }

  removeChild(elem: PrefixElem): void {
    if (elem === null) this.any = undefined
    else if (this.children?.delete(elem) && this.children.size === 0) this.children = undefined
  }

  insert(value: V): void {
    this.values.splice(firstNotBelow(this.values, value.order), 0, value)
  }
}

interface Detour<V extends Ranked> {
  readonly node: TrieNode<V>
  readonly depth: number
}

/** Puts every value whose prefix matches the path at the head of `found`, in no particular order; gives their number. */
export function collectMatches<V extends Ranked>(root: TrieNode<V>, path: Path, found: V[]): number {
  let count = 0
  const detours: Detour<V>[] = []
  let node: TrieNode<V> = root
  for (let depth = 0; ; depth++) {
    for (const value of node.values) if (matchesFrom(value.prefix, path, depth)) found[count++] = value
    const label = path[depth]
    const any: TrieNode<V> | undefined = label === undefined ? undefined : node.any
    const named: TrieNode<V> | undefined = label === undefined ? undefined : node.children?.get(label)
    if (any !== undefined && named !== undefined) detours.push({ node: any, depth })
    let next = named ?? any
    if (next === undefined) {
      const detour = detours.pop()
      if (detour === undefined) return count
      next = detour.node
      depth = detour.depth
    }
    node = next
  }
}

/** Whether the elements from `depth` on match; those before it are known to. */
function matchesFrom(prefix: Prefix, path: Path, depth: number): boolean {
  if (prefix.length > path.length) return false
  for (let i = depth; i < prefix.length; i++) {
    const elem = prefix[i]
    if (elem !== null && elem !== path[i]) return false
  }
  return true
}

/** Makes the next version of a trie. Nodes of the version it starts from are never changed. */
export class TrieEditor<V extends Ranked> {
  /** The edited trie. Do not edit further once it is in use. */
  readonly root: TrieNode<V>
  readonly #maker: Maker = { maker: true }

  constructor(from?: TrieNode<V>) {
    this.root = from === undefined ? new TrieNode<V>(this.#maker, []) : this.#copy(from)
  }

  add(value: V): void {
    const way = this.#wayTo(value.prefix)
    const node = way.at(-1) ?? this.root
    node.insert(value)
    const depth = way.length - 1
    if (value.prefix.length > depth) this.#branchWhereFull(node, depth)
  }

  /** Takes out the value of this prefix and order, and the nodes that only it needed. */
  remove({ prefix, order }: Ranked): void {
    const way = this.#wayTo(prefix)
    const values = way.at(-1)?.values ?? []
    const at = firstNotBelow(values, order)
    if (values[at]?.order === order) values.splice(at, 1)
    for (let depth = way.length - 1; depth > 0; depth--) {
      const node = way[depth]
      const elem = prefix[depth - 1]
      if (node === undefined || elem === undefined || node.branches || node.values.length > 0) return
      way[depth - 1]?.removeChild(elem)
    }
  }

  /** The nodes, all of them ours to change, from the root to where values of the prefix are held. */
  #wayTo(prefix: Prefix): TrieNode<V>[] {
    const way = [this.root]
    let node = this.root
    for (const elem of prefix) {
      if (!node.branches || way.length > maxDepth) break
      node = this.#ownChild(node, elem)
      way.push(node)
    }
    return way
  }

  /** The child that may be changed: its own copy, made when there is none yet. */
  #ownChild(parent: TrieNode<V>, elem: PrefixElem): TrieNode<V> {
    const present = parent.child(elem)
    if (present !== undefined && present.maker === this.#maker) return present
    const child = present === undefined ? new TrieNode<V>(this.#maker, []) : this.#copy(present)
    parent.setChild(elem, child)
    return child
  }

  #copy(node: TrieNode<V>): TrieNode<V> {
    const copy = new TrieNode<V>(this.#maker, [...node.values])
    if (node.children !== undefined) copy.children = new Map(node.children)
    copy.any = node.any
    return copy
  }

  /** Moves the values of a bucket that is too full to children, as far down as they share a way. */
  #branchWhereFull(full: TrieNode<V>, fullDepth: number): void {
    let node: TrieNode<V> | undefined = full
    for (let depth = fullDepth; node !== undefined; depth++) {
      if (node.branches || node.values.length <= bucketSize || depth >= maxDepth) return
      node = this.#branch(node, depth)
    }
  }

  /** Gives the child that took too many, if one did: there can be one at most. */
  #branch(node: TrieNode<V>, depth: number): TrieNode<V> | undefined {
    const { values } = node
    node.values = []
    let fullest: TrieNode<V> | undefined
    for (const value of values) {
      const elem = value.prefix[depth]
      const holder = elem === undefined ? node : this.#ownChild(node, elem)
      holder.values.push(value)
      if (holder !== node && holder.values.length > bucketSize) fullest = holder
    }
    return fullest
  }
}

/** Where in the ascending values the order belongs; most often at the end. */
function firstNotBelow(values: readonly Ranked[], order: number): number {
  let low = 0
  let high = values.length
  const last = values[high - 1]
  if (last === undefined || last.order < order) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    const value = values[middle]
    if (value !== undefined && value.order < order) low = middle + 1
    else high = middle
  }
  return low
}
