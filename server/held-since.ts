// What a guard holds, looked up by the names that sources have.
import type { HeldName } from '../interpreters/namer.ts'

/** A source's name is its kind, a space and the name that the guard knows. */
export class HeldSince {
  readonly #left: Map<string, number>

  constructor(held: readonly HeldName[] = []) {
    this.#left = new Map(held.map(({ name, since }) => [name, since]))
  }

  /** Since when it is held; each is found once. */
  take(source: string): number | undefined {
    if (this.#left.size === 0) return undefined
    const name = this.#left.has(source) ? source : source.slice(source.indexOf(' ') + 1)
    const since = this.#left.get(name)
    this.#left.delete(name)
    return since
  }

  left(): readonly HeldName[] {
    return [...this.#left].map(([name, since]) => ({ name, since }))
  }
}
