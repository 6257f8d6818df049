// The entries of a dtab while it is edited: in their order, and found by prefix without a scan, so that ten thousand
// edits of a large dtab cost no squares. Knows nothing of what an edit means.
import type { Prefix } from '../naming/dtab.ts'
import { formatPrefix } from '../naming/format.ts'
import type { Segment } from './dtab-segments.ts'

/** A place in the list; valid until it is removed. */
export interface EntryPlace {
  readonly segment: Segment
}

interface Node extends EntryPlace {
  segment: Segment
  /** Grows along the list, so that two places can be compared. */
  order: number
  before: Node | undefined
  after: Node | undefined
}

/** Changed in place by the functions below. */
export class DtabEntries {
  #first: Node | undefined
  #last: Node | undefined
  /** By prefix, in the order of the list. */
  readonly #places = new Map<string, Node[]>()

  constructor(segments: readonly Segment[]) {
    for (const segment of segments) this.append(segment)
  }

  /** Every entry with that prefix, in order. */
  find(prefix: Prefix): readonly EntryPlace[] {
    return this.#places.get(formatPrefix(prefix)) ?? []
  }

  append(segment: Segment): void {
    this.#insert(segment, this.#last, undefined)
  }

  insertBefore(place: EntryPlace, segment: Segment): void {
    const node = asNode(place)
    this.#insert(segment, node.before, node)
  }

  insertAfter(place: EntryPlace, segment: Segment): void {
    const node = asNode(place)
    this.#insert(segment, node, node.after)
  }

  /** The new segment must have the prefix of the old one. */
  replace(place: EntryPlace, segment: Segment): void {
    asNode(place).segment = segment
  }

  remove(place: EntryPlace): void {
    const node = asNode(place)
    this.#join(node.before, node.after)
    const key = formatPrefix(node.segment.dentry.prefix)
    const places = this.#places.get(key) ?? []
    if (places.length === 1) this.#places.delete(key)
    else places.splice(rankOf(places, node.order), 1)
  }

  toArray(): readonly Segment[] {
    return Array.from(this.#nodes(), node => node.segment)
  }

  #insert(segment: Segment, before: Node | undefined, after: Node | undefined): void {
    const node: Node = { segment, order: this.#orderBetween(before, after), before, after }
    this.#join(before, node)
    this.#join(node, after)
    const key = formatPrefix(segment.dentry.prefix)
    const places = this.#places.get(key)
    if (places === undefined) this.#places.set(key, [node])
    else places.splice(rankOf(places, node.order), 0, node)
  }

  #join(before: Node | undefined, after: Node | undefined): void {
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
  }

  /** Halves the gap; once it cannot be halved, all are numbered anew. */
  #orderBetween(before: Node | undefined, after: Node | undefined): number {
    if (after === undefined) return (before?.order ?? 0) + 1
    if (before === undefined) return after.order - 1
    const middle = (before.order + after.order) / 2
    if (middle > before.order && middle < after.order) return middle
    let order = 0
    for (const node of this.#nodes()) node.order = ++order
    return before.order + 0.5
  }

  *#nodes(): Iterable<Node> {
    for (let node = this.#first; node !== undefined; node = node.after) yield node
  }
}

/** Places are handed out by this module alone. */
function asNode(place: EntryPlace): Node {
  return place as Node // see above
}

/** How many of the nodes, which are in order, come before that order. */
function rankOf(nodes: readonly Node[], order: number): number {
  let low = 0
  let high = nodes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((nodes[middle]?.order ?? order) < order) low = middle + 1
    else high = middle
  }
  return low
}
