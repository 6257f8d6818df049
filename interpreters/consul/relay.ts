// One followed answer for all who want it: passes on what is reported, and tells those who come later what is known.
// Knows nothing of Consul.
import type { FoundFacts } from '../discovery.ts'

/** Where a followed answer reports. */
export interface Listener<T> {
  /** What is true now. */
  changed(value: T, facts?: FoundFacts): void
  /** Heard from the backend, nothing new. */
  same(version?: string): void
  /** The backend fails; what was told before stays true for all that is known. */
  failed(error: Error, retryAt?: number): void
}

interface Failure {
  readonly error: Error
  readonly retryAt?: number
}

export class Relay<T> implements Listener<T> {
  readonly #listeners = new Set<Listener<T>>()
  #known: { readonly value: T; readonly version?: string } | undefined
  #failure: Failure | undefined

  /** What was reported last, whether or not the backend fails now. */
  get known(): T | undefined {
    return this.#known?.value
  }

  /** Tells at once what is known. */
  add(listener: Listener<T>): void {
    this.#listeners.add(listener)
    const { version } = this.#known ?? {}
    if (this.#known !== undefined) listener.changed(this.#known.value, version === undefined ? {} : { version })
    if (this.#failure !== undefined) listener.failed(this.#failure.error, this.#failure.retryAt)
  }

  /** Whether nobody is left. */
  remove(listener: Listener<T>): boolean {
    this.#listeners.delete(listener)
    return this.#listeners.size === 0
  }

  changed(value: T, facts: FoundFacts = {}): void {
    const { version } = facts
    this.#known = { value, ...(version !== undefined && { version }) }
    this.#failure = undefined
    for (const listener of this.#listeners) listener.changed(value, facts)
  }

  same(version?: string): void {
    this.#failure = undefined
    for (const listener of this.#listeners) listener.same(version)
  }

  failed(error: Error, retryAt?: number): void {
    this.#failure = { error, ...(retryAt !== undefined && { retryAt }) }
    for (const listener of this.#listeners) listener.failed(error, retryAt)
  }
}
