// The names that an identifier gave lately, by what it read of a request. Knows no request.
import { type Path, showPath } from '../../naming/path.ts'
import { ownCopy, Remembered } from '../cache/remembered.ts'
import type { Identification, Identified } from './identifier.ts'

/** Works out the labels that follow the prefix, or says why there are none. */
type ReadLabels = (token: string) => Path | string

/** Names under one prefix. A token that was seen lately costs one look-up; others are read anew, the refused ones each time. */
export class Names {
  readonly #prefix: Path
  readonly #read: ReadLabels
  readonly #seen = new Remembered<Identified>()

  constructor(prefix: Path, read: ReadLabels) {
    this.#prefix = prefix
    this.#read = read
  }

  at(token: string): Identification {
    return this.#seen.get(token) ?? this.#add(ownCopy(token))
  }

  #add(token: string): Identification {
    const labels = this.#read(token)
    if (typeof labels === 'string') return { kind: 'unidentified', reason: labels }
    const path = [...this.#prefix, ...labels]
    return this.#seen.set(token, { kind: 'identified', path, text: showPath(path), target: undefined })
  }
}
