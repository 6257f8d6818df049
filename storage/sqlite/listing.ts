// The listing of all namespaces, kept sorted while a few of them change, so that ten thousand are not sorted for one.
import type { NamespaceSummary } from '../store.ts'

const byName = (a: NamespaceSummary, b: NamespaceSummary): number => (a.namespace < b.namespace ? -1 : 1)

/** Hands out a new array for each change; those handed out before stay as they were. */
export class Listing {
  #places = new Map<string, number>()
  #sorted: readonly NamespaceSummary[] = []

  /** Sorted by name. The same array until the next change. */
  get sorted(): readonly NamespaceSummary[] {
    return this.#sorted
  }

  /** Adds or replaces. */
  put(changed: readonly NamespaceSummary[]): void {
    if (changed.length === 0) return
    const next = [...this.#sorted]
    for (const summary of changed) {
      const place = this.#places.get(summary.namespace)
      if (place === undefined) next.push(summary)
      else next[place] = summary
    }
    if (next.length > this.#sorted.length) {
      next.sort(byName)
      this.#places = new Map(next.map(({ namespace }, place) => [namespace, place]))
    }
    this.#sorted = next
  }
}
