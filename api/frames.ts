// Frames: each state that is pushed is encoded once for all streams that send it at about the same time.
// Knows no transport. Holds what was encoded of late, not what is live: a name that one stream watches costs nothing here.
import type { State } from '../watch/state.ts'

/** Bytes of one generation; two are held. */
const defaultMaxBytes = 1024 * 1024
/** What an entry weighs beside its bytes, about. */
const entryBytes = 200

/** Encodes states, and remembers what it encoded by the identity of the value, which all watchers of a cell share. */
export class RecentFrames<T extends object, F extends { readonly length: number } = Uint8Array> {
  readonly #encode: (state: State<T>) => F
  readonly #maxBytes: number
  #recent = new Map<object, F>()
  #older = new Map<object, F>()
  #bytes = 0

  /** `encode` must depend on kind, value and error of a state alone. */
  constructor(encode: (state: State<T>) => F, maxBytes = defaultMaxBytes) {
    this.#encode = encode
    this.#maxBytes = maxBytes
  }

  /** The encoded state. */
  of(state: State<T>): F {
    const key = state.kind === 'ok' ? state.value : state
    return this.#recent.get(key) ?? this.#remember(key, this.#older.get(key) ?? this.#encode(state))
  }

  #remember(key: object, frame: F): F {
    if (this.#bytes > this.#maxBytes) {
      this.#older = this.#recent
      this.#recent = new Map()
      this.#bytes = 0
    }
    this.#recent.set(key, frame)
    this.#bytes += frame.length + entryBytes
    return frame
  }
}
