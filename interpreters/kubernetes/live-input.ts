// One of the inputs of a name, as last told. Its owner computes anew whenever it changes.
import type { ObjectFacts, ObjectsFollower } from './followed-service.ts'

export interface InputFailure {
  readonly error: Error
  readonly retryAt: number
}

/** Told after each call, when the input already says so. */
export interface InputEvents {
  changed(facts: ObjectFacts): void
  contact(version: string): void
  failed(): void
}

export class LiveInput<T> implements ObjectsFollower<T> {
  readonly #events: InputEvents
  #objects: ReadonlyMap<string, T> | undefined
  #failure: InputFailure | undefined

  constructor(events: InputEvents) {
    this.#events = events
  }

  /** Undefined before the first answer. */
  get objects(): ReadonlyMap<string, T> | undefined {
    return this.#objects
  }

  get failure(): InputFailure | undefined {
    return this.#failure
  }

  changed(objects: ReadonlyMap<string, T>, facts: ObjectFacts): void {
    this.#objects = objects
    this.#failure = undefined
    this.#events.changed(facts)
  }

  contact(version: string): void {
    this.#events.contact(version)
  }

  failed(error: Error, retryAt: number): void {
    this.#failure = { error, retryAt }
    this.#events.failed()
  }
}
