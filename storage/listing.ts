// The listing of all namespaces, kept sorted while a few of them change, so that ten thousand are not sorted for one.
import type { NamespaceSummary } from './store.ts'

const byName = (a: NamespaceSummary, b: NamespaceSummary): number => (a.namespace < b.namespace ? -1 : 1)

/** Hands out a new array for each change; those handed out before stay as they were. */
export class Listing {
  #sorted: readonly NamespaceSummary[] = []

  /** Sorted by name. The same array until the next change. */
  get sorted(): readonly NamespaceSummary[] {
    return this.#sorted
  }

  /** Adds or replaces; of two with one name the later counts. */
  put(changed: readonly NamespaceSummary[]): void {
    if (changed.length === 0) return
    const next = [...this.#sorted]
    const added = new Map<string, NamespaceSummary>()
    for (const summary of changed) {
      const place = this.#placeOf(summary.namespace)
      if (this.#sorted[place]?.namespace === summary.namespace) next[place] = summary
      else added.set(summary.namespace, summary)
    }
    this.#sorted = added.size === 0 ? next : merge(next, [...added.values()].sort(byName))
  }

  /** Leaves these namespaces out. */
  remove(namespaces: ReadonlySet<string>): void {
    const isListed = (namespace: string): boolean => this.#sorted[this.#placeOf(namespace)]?.namespace === namespace
    if (![...namespaces].some(isListed)) return
    this.#sorted = this.#sorted.filter(summary => !namespaces.has(summary.namespace))
  }

  /** Where the name stands, or would stand. */
  #placeOf(namespace: string): number {
    let low = 0
    let high = this.#sorted.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#sorted[middle]?.namespace ?? '') < namespace) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Two sorted lists without a common name, as one. */
function merge(known: readonly NamespaceSummary[], added: readonly NamespaceSummary[]): readonly NamespaceSummary[] {
  const merged: NamespaceSummary[] = []
  let at = 0
  for (const summary of known) {
    for (let next = added[at]; next !== undefined && next.namespace < summary.namespace; next = added[at]) {
      merged.push(next)
      at++
    }
    merged.push(summary)
  }
  return merged.concat(added.slice(at))
}
