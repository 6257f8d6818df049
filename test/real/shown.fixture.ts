// What a client is shown of a name, as one line of text that tests can compare.
import type { ReplicaSet } from '../../naming/replica-set.ts'
import type { State } from '../../watch/state.ts'
import { endpointsOf, isNeg } from '../e2e/watched-server.fixture.ts'

/** `address:port` of each endpoint, sorted; `nothing` when bound to none, `neg`, or the kind of state that has no answer. */
export function shown(state: State<ReplicaSet>): string {
  if (isNeg(state)) return 'neg'
  const endpoints = endpointsOf(state)
  if (endpoints === undefined) return state.kind
  return textOf(endpoints.map(({ address, port }) => `${address}:${port}`))
}

function textOf(endpoints: readonly string[]): string {
  return endpoints.length === 0 ? 'nothing' : endpoints.toSorted().join(' ')
}

/** For `Watched.until`: exactly these endpoints, in any order. */
export function shows(...endpoints: readonly string[]): (state: State<ReplicaSet>) => boolean {
  const wanted = textOf(endpoints)
  return state => shown(state) === wanted
}

/** Why the last good state is no more than that; empty when it is fresh, or there is none. */
export function staleReason(state: State<ReplicaSet>): string {
  return state.kind === 'ok' ? (state.stale?.reason.message ?? '') : ''
}
