// What a proxy holds of one resource: the last good content outlives silence, and says since when it is not confirmed.
// Knows neither names nor streams.
import { NamingError } from '../../naming/errors.ts'
import { noUpdate, type UpdateMark, updateMark } from '../../proto/content-digest.ts'
import type { ReceivedState, WireHash } from '../../proto/updates.ts'
import type { Sink } from '../../watch/cell.ts'
import { failed, type Ok, ok, pending, type Stale, type State } from '../../watch/state.ts'

/** An update that brings no new content. */
export type ContentlessState<T> = Exclude<ReceivedState<T>, Ok<T>>

/** The next state to show after such an update; `shown` is what is shown now. */
export function stateAfter<T>(shown: State<T>, update: ContentlessState<T>, now: number): State<T> {
  if (update.kind === 'same') return shown.kind === 'ok' ? ok(shown.value, update.stale) : shown
  const refusal = update.kind === 'unusable' ? failed(refused(update.reason)) : update
  if (shown.kind !== 'ok') return refusal
  if (refusal.kind === 'failed') {
    const error = NamingError.from(refusal.error)
    return error.retryable ? staleSince(shown, { since: now, reason: error }) : refusal
  }
  const waitingFor = refusal.waitingFor === undefined ? '' : ` on ${refusal.waitingFor}`
  const reason = new NamingError('pending', `The naming server does not know the answer yet: it waits${waitingFor}.`)
  return staleSince(shown, { since: now, reason })
}

function refused(reason: string): NamingError {
  return new NamingError('unavailable', `The naming server sent what cannot be used here: ${reason}.`)
}

/** A good value that is not confirmed any more; one that is stale already keeps its time. Other states stay as they are. */
export function staleSince<T>(shown: State<T>, stale: Stale): State<T> {
  if (shown.kind !== 'ok') return shown
  return ok(shown.value, shown.stale === undefined ? stale : { since: shown.stale.since, reason: stale.reason })
}

/** The update itself, or that the content held stands when it brings just that: who has it is not told of it again. */
export function newsOf<T>(update: ReceivedState<T>, hash: WireHash, held: WireHash): ReceivedState<T> {
  if (update.kind !== 'ok' || hash !== held) return update
  return update.stale === undefined ? { kind: 'same' } : { kind: 'same', stale: update.stale }
}

/** The state `ours` with the value of `theirs`, which is equal; nobody who watches is told of that. */
export function withValueOf<T>(ours: State<T>, theirs: State<T>): State<T> {
  return ours.kind === 'ok' && theirs.kind === 'ok' ? ok(theirs.value, ours.stale) : ours
}

/** The last update of a resource on one stream; `hash` is empty before any. */
export interface ToldUpdate {
  readonly hash: WireHash
  readonly isStale: boolean
}

export const untold: ToldUpdate = { hash: '', isStale: false }

export function toldBy(hash: WireHash, state: ReceivedState<unknown>): ToldUpdate {
  return { hash, isStale: 'stale' in state && state.stale !== undefined }
}

/** What counts in the digest of a stream for a resource; `isFollowed`: the server sends its updates on that stream. */
export function markOf({ hash, isStale }: ToldUpdate, isFollowed: boolean): UpdateMark {
  return isFollowed ? updateMark(hash, isStale) : noUpdate
}

/** A state that is shown through the sink of a source, when someone watches. */
export class ShownState<T> {
  #state: State<T>
  #sink: Sink<State<T>> | undefined

  constructor(state: State<T> = pending) {
    this.#state = state
  }

  get state(): State<T> {
    return this.#state
  }

  set state(state: State<T>) {
    this.#state = state
    this.#sink?.set(state)
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
