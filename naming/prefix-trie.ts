// An immutable trie from prefixes to ordered values. An edit copies only the nodes on its way, so old roots stay valid.
import type { Prefix, PrefixElem } from './dtab.ts'
import type { Label, Path } from './path.ts'

/** A value with its rank: values under one prefix are held by ascending order. */
export interface Ordered {
  readonly order: number
}

/** One node. Only the editor that made it may change it, and only until the root is handed out. */
export class TrieNode<V extends Ordered> {
  readonly maker: object
  children: Map<Label, TrieNode<V>> | undefined
  /** What `*` leads to. */
  any: TrieNode<V> | undefined
  values: V[]

  constructor(maker: object, values: V[]) {
    this.maker = maker
    this.values = values
  }

  get isEmpty(): boolean {
    return this.values.length === 0 && this.any === undefined && (this.children?.size ?? 0) === 0
  }
}

/** Gives to `visit` the values of every node whose prefix matches the path, until it answers true; whether it did. */
export function visitMatches<V extends Ordered>(
  root: TrieNode<V>,
  path: Path,
  visit: (values: readonly V[]) => boolean,
): boolean {
  const branches: { readonly node: TrieNode<V>; readonly depth: number }[] = []
  let node: TrieNode<V> | undefined = root
  let depth = 0
  for (;;) {
    if (node.values.length > 0 && visit(node.values)) return true
    const label = path[depth]
    const any: TrieNode<V> | undefined = label === undefined ? undefined : node.any
    const named: TrieNode<V> | undefined = label === undefined ? undefined : node.children?.get(label)
    if (any !== undefined && named !== undefined) branches.push({ node: any, depth: depth + 1 })
    node = named ?? any
    depth++
    if (node !== undefined) continue
    const branch = branches.pop()
    if (branch === undefined) return false
    node = branch.node
    depth = branch.depth
  }
}

/** Makes the next version of a trie. Nodes of the version it starts from are never changed. */
export class TrieEditor<V extends Ordered> {
  #root: TrieNode<V>

  constructor(root?: TrieNode<V>) {
    this.#root = root === undefined ? new TrieNode<V>(this, []) : this.#own(root)
  }

  /** The edited trie. Do not edit further once it is in use. */
  get root(): TrieNode<V> {
    return this.#root
  }

  add(prefix: Prefix, value: V): void {
    let node = this.#root
    for (const elem of prefix) node = this.#child(node, elem)
    const { values } = node
    values.splice(firstNotBelow(values, value.order), 0, value)
  }

  /** Takes out the value of this order, and the nodes that only it needed. */
  remove(prefix: Prefix, order: number): void {
    const way: TrieNode<V>[] = [this.#root]
    let node = this.#root
    for (const elem of prefix) {
      node = this.#child(node, elem)
      way.push(node)
    }
    const at = firstNotBelow(node.values, order)
    if (node.values[at]?.order === order) node.values.splice(at, 1)
    for (let depth = prefix.length; depth > 0 && way[depth]?.isEmpty; depth--) {
      unlink(way[depth - 1], prefix[depth - 1])
    }
  }

  /** The child that may be changed: its own copy, made when there is none yet. */
  #child(parent: TrieNode<V>, elem: PrefixElem): TrieNode<V> {
    const present = elem === null ? parent.any : parent.children?.get(elem)
    if (present !== undefined && present.maker === this) return present
    const child = present === undefined ? new TrieNode<V>(this, []) : this.#own(present)
    if (elem === null) {
      parent.any = child
    } else {
      parent.children ??= new Map()
      parent.children.set(elem, child)
    }
    return child
  }

  #own(node: TrieNode<V>): TrieNode<V> {
    const copy = new TrieNode<V>(this, [...node.values])
    if (node.children !== undefined) copy.children = new Map(node.children)
    copy.any = node.any
    return copy
  }
}

function unlink<V extends Ordered>(parent: TrieNode<V> | undefined, elem: PrefixElem | undefined): void {
  if (parent === undefined || elem === undefined) return
  if (elem === null) parent.any = undefined
  else parent.children?.delete(elem)
}

/** Where in the ascending values the order belongs; most often at the end. */
function firstNotBelow(values: readonly Ordered[], order: number): number {
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
