// Texts that stand in the store and are no dtabs, as answers show them beside what is served in their place.
import { NamingError } from '../../naming/errors.ts'
import type { RefusedText, Store } from '../../storage/store.ts'
import type { State } from '../../watch/state.ts'
import type { WarmCells } from '../warm-cells.ts'
import { timeText } from './time-text.ts'

/** What is refused, by namespace, as far as it is known. */
export function refusedIn(state: State<readonly RefusedText[]>, namespace: string): RefusedText | undefined {
  return state.kind === 'ok' ? state.value.find(refused => refused.namespace === namespace) : undefined
}

/** As an answer's member `refused` says it; empty where nothing is. */
export function refusedMember(refused: RefusedText | undefined): { readonly refused?: object } {
  return refused === undefined ? {} : { refused: refusedJson(refused) }
}

/** Without the namespace. */
export function refusedJson({ reason, position, bytes, since }: RefusedText): object {
  const place = position === undefined ? {} : { line: position.line, column: position.column }
  return { reason, ...place, bytes, since: timeText(since) }
}

/** For single answers: what is refused of a namespace now. Keeps the knowledge warm. */
export class RefusalLookup {
  readonly #store: Store
  readonly #warm: WarmCells

  constructor(store: Store, warm: WarmCells) {
    this.#store = store
    this.#warm = warm
  }

  of(namespace: string): RefusedText | undefined {
    return refusedIn(this.#warm.keep('refusals', () => this.#store.refusals()).peek(), namespace)
  }

  /** The error with what is refused in its detail, when it says that the namespace does not exist. */
  explain(error: unknown, namespace: string): NamingError {
    const known = NamingError.from(error)
    const refused = known.code === 'dtab-not-found' ? this.of(namespace) : undefined
    if (refused === undefined) return known
    const said = `${known.message} A text stands in the store in its place that is no dtab: ${refused.reason}`
    return new NamingError(known.code, said, { detail: { ...known.detail, refused: refusedJson(refused) } })
  }
}
