// What a namer's failure is to those who asked for a name: that it cannot answer now, unless it says something more exact.
import { NamingError } from '../naming/errors.ts'
import { failed, type State } from '../watch/state.ts'

/** The state, with `namer-unavailable` for a failure that has no code of its own; its message stays. */
export function withNamerFailure<T>(state: State<T>): State<T> {
  if (state.kind !== 'failed' || state.error instanceof NamingError) return state
  return failed(new NamingError('namer-unavailable', state.error.message))
}
