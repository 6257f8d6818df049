// What the origin has still to tell one thread: each cell with news once, whatever the number of its changes. Knows no port.

/** The place of versions among the cells. */
const versions = Symbol('versions')

/** Something to tell: a cell with news, or a version that someone goes by. */
export type Letter<C, V> = { readonly cell: C } | { readonly version: V }

/**
 * Cells in the order in which they first had news. A version comes after all cells that stood here before it, so that who hears
 * of it has every state that it led to. While some versions stand in line, newer ones are collected behind them, by key.
 */
export class Outbox<C, V> {
  readonly #line = new Set<C | typeof versions>()
  #standing = new Map<unknown, V>()
  #collected = new Map<unknown, V>()

  get isEmpty(): boolean {
    return this.#line.size === 0
  }

  put(cell: C): void {
    this.#line.add(cell)
  }

  /** It has nothing to tell any more. */
  delete(cell: C): void {
    this.#line.delete(cell)
  }

  putVersion(key: unknown, version: V): void {
    if (this.#line.has(versions)) this.#collected.set(key, version)
    else {
      this.#standing.set(key, version)
      this.#line.add(versions)
    }
  }

  deleteVersion(key: unknown): void {
    this.#standing.delete(key)
    this.#collected.delete(key)
  }

  /** Takes the first out of the line, up to so many. */
  *take(count: number): Generator<Letter<C, V>> {
    let left = count
    for (const first of this.#line) {
      if (left <= 0) return
      if (first === versions) {
        for (const version of this.#takeVersions(left)) {
          left--
          yield { version }
        }
        if (this.#standing.size > 0) return
        this.#line.delete(versions)
        this.#queueCollected()
      } else {
        left--
        this.#line.delete(first)
        yield { cell: first }
      }
    }
  }

  *#takeVersions(count: number): Generator<V> {
    let left = count
    for (const [key, version] of this.#standing) {
      if (left-- <= 0) return
      this.#standing.delete(key)
      yield version
    }
  }

  #queueCollected(): void {
    if (this.#collected.size === 0) return
    const emptied = this.#standing
    this.#standing = this.#collected
    this.#collected = emptied
    this.#line.add(versions)
  }
}
