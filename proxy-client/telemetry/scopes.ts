// Scopes by name, in bounded number: the first few have series of their own everywhere, more are shown where names cost
// nothing, and all further ones share one. Knows nothing of what is counted.

export interface ScopesOptions<C> {
  /** Scopes of their own at most. */
  readonly max: number
  /** Those of them that have series of their own in Prometheus' form. */
  readonly maxSeries: number
  /** Makes a counter; `shared` is to count along. */
  readonly create: (shared?: C) => C
}

export interface Scope<C> {
  readonly name: string
  readonly hasSeries: boolean
  /** No other scope had or will have it. */
  readonly serial: number
  readonly counter: C
}

interface HeldScope<C> extends Scope<C> {
  holds: number
}

export class Scopes<C> {
  /** Counts for everything without series of its own. */
  readonly other: C
  readonly #options: ScopesOptions<C>
  readonly #held = new Map<string, HeldScope<C>>()
  #series = 0
  #serial = 0

  constructor(options: ScopesOptions<C>) {
    this.#options = options
    this.other = options.create()
  }

  /** The counter of a name, held until `release` has been called as often. */
  acquire(name: string): C {
    const known = this.#held.get(name)
    if (known !== undefined) {
      known.holds++
      return known.counter
    }
    if (this.#held.size >= this.#options.max) return this.other
    const hasSeries = this.#series < this.#options.maxSeries
    if (hasSeries) this.#series++
    const counter = this.#options.create(hasSeries ? undefined : this.other)
    this.#held.set(name, { name, hasSeries, serial: ++this.#serial, counter, holds: 1 })
    return counter
  }

  /** The last release takes the scope away. */
  release(name: string): void {
    const scope = this.#held.get(name)
    if (scope === undefined || --scope.holds > 0) return
    if (scope.hasSeries) this.#series--
    this.#held.delete(name)
  }

  /** Those of their own. */
  list(): readonly Scope<C>[] {
    return [...this.#held.values()]
  }
}
