// What a proxy holds of one resource: the last good content outlives silence, and says since when it is not confirmed.
// Knows neither names nor streams.
import { NamingError } from '../../naming/errors.ts'
import type { ReceivedState } from '../../proto/updates.ts'
import type { Sink } from '../../watch/cell.ts'
import { type Ok, ok, pending, type Stale, type State } from '../../watch/state.ts'

/** The next state to show after an update that brings no new content; `shown` is what is shown now. */
export function stateAfter<T>(shown: State<T>, update: Exclude<ReceivedState<T>, Ok<T>>, now: number): State<T> {
  if (update.kind === 'same') return shown.kind === 'ok' ? ok(shown.value, update.stale) : shown
  if (shown.kind !== 'ok') return update
  if (update.kind === 'failed') {
    const error = NamingError.from(update.error)
    return error.retryable ? staleSince(shown, { since: now, reason: error }) : update
  }
  const waitingFor = update.waitingFor === undefined ? '' : ` on ${update.waitingFor}`
  const reason = new NamingError('pending', `The naming server does not know the answer yet: it waits${waitingFor}.`)
  return staleSince(shown, { since: now, reason })
}

/** A good value that is not confirmed any more; one that is stale already keeps its time. Other states stay as they are. */
export function staleSince<T>(shown: State<T>, stale: Stale): State<T> {
  if (shown.kind !== 'ok') return shown
  return ok(shown.value, shown.stale === undefined ? stale : { since: shown.stale.since, reason: stale.reason })
}

/** A state that is shown through the sink of a source, when someone watches. */
export class ShownState<T> {
  #state: State<T> = pending
  #sink: Sink<State<T>> | undefined

  get state(): State<T> {
    return this.#state
  }

  set state(state: State<T>) {
    this.#state = state
    this.#sink?.set(state)
  }

  get isWatched(): boolean {
    return this.#sink !== undefined
  }

  /** Shows the present state through `sink`, and each later one. */
  attach(sink: Sink<State<T>>): void {
    this.#sink = sink
    sink.set(this.#state)
  }

  detach(): void {
    this.#sink = undefined
  }
}
