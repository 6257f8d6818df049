// One of the inputs of a name, as last told. Its owner computes anew whenever it changes.
import type { ObjectFacts, ObjectsFollower } from './followed-service.ts'

export interface InputFailure {
  readonly error: Error
  readonly retryAt: number
}

/** `onChange` is called without facts after a failure, `onContact` when nothing is new. */
export class LiveInput<T> implements ObjectsFollower<T> {
  readonly #onChange: (facts?: ObjectFacts) => void
  readonly #onContact: (version: string) => void
  #objects: ReadonlyMap<string, T> | undefined
  #failure: InputFailure | undefined

  constructor(onChange: (facts?: ObjectFacts) => void, onContact: (version: string) => void) {
    this.#onChange = onChange
    this.#onContact = onContact
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
    this.#onChange(facts)
  }

  contact(version: string): void {
    this.#onContact(version)
  }

  failed(error: Error, retryAt: number): void {
    this.#failure = { error, retryAt }
    this.#onChange()
  }
}
