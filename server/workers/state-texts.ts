// States as texts for a port. The text of a value is made once for all threads that are told it at about the same time.
import { RecentFrames } from '../../api/frames.ts'
import type { NamespaceSnapshot } from '../../interpreters/interpreter.ts'
import type { Ok, Stale, State } from '../../watch/state.ts'
import { type Asked, type SentStale, sentErrorOf } from './port-messages.ts'

type ValueTexts = Readonly<Record<Asked, (state: Ok<object>) => string>>

/** What all origins of a server share. */
export class StateTexts {
  readonly #values: ValueTexts

  constructor() {
    const recent = new RecentFrames<object, string>(textOfValue)
    const shared = (state: Ok<object>): string => recent.of(state)
    this.#values = {
      bind: shared,
      replicas: shared,
      delegate: textOfValue,
      namespace: state => textOfNamespace(state as Ok<NamespaceSnapshot>), // as the interpreter's contract says
      version: state => JSON.stringify({ version: (state as Ok<NamespaceSnapshot>).value.version }),
    }
  }

  /** `before`: the state that was told last, whose value needs not be told again. */
  of(asked: Asked, state: State<object>, before: State<object> | undefined): string {
    if (state.kind !== 'ok') return JSON.stringify(state.kind === 'failed' ? sentFailure(state.error) : state)
    const stale = state.stale === undefined ? '' : `,"stale":${JSON.stringify(sentStaleOf(state.stale))}`
    if (before?.kind === 'ok' && before.value === state.value) return `{"kind":"same"${stale}}`
    return `{"kind":"ok","value":${this.#values[asked](state)}${stale}}`
  }
}

function textOfValue(state: State<object>): string {
  return JSON.stringify(state.kind === 'ok' ? state.value : null)
}

/** Of the contract's fields alone: the interpreter keeps more with them. */
function textOfNamespace({ value: { exists, version, dtab, hash } }: Ok<NamespaceSnapshot>): string {
  return JSON.stringify({ exists, version, dtab, hash })
}

function sentFailure(error: Error): object {
  return { kind: 'failed', error: sentErrorOf(error) }
}

function sentStaleOf({ since, reason }: Stale): SentStale {
  return { since, reason: sentErrorOf(reason) }
}
