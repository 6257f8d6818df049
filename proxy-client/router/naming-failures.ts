// What a client is told when its name leads nowhere: which stage, what it hangs on, how old the knowledge is.
import type { Stale } from '../../watch/state.ts'
import type { Binding } from '../binding/binding.ts'
import type { BoundClient } from '../client/bound-client.ts'
import { noRoom, noUpstream, outOfTime, type ProxyFailure } from '../failure.ts'

/** How long a request waits for its name, and what its client is told when that was too short. */
export interface Patience {
  readonly bindingTimeoutMs: number
  readonly timeoutStatus: 503 | 504
}

/** Why a binding cannot be drawn from. */
export function unboundFailure({ pathText, unboundState }: Binding, patience: Patience): ProxyFailure {
  if (unboundState.kind === 'failed')
    return noUpstream('bind', `${pathText} cannot be bound: ${unboundState.error.message}`)
  return tooLate('bind', `${pathText} was not bound`, unboundState.waitingFor, patience)
}

/** There is no room for another name. */
export const tooManyNames = noRoom(
  'overload',
  'too many new names are being bound at this moment: as many as may be kept wait for their first answer (bindingCache.paths)',
)

const whyNoLeaf = {
  neg: 'is bound to nothing: no rule of the namespace, nor of the request, leads to a service that exists',
  fail: 'is refused by a rule of the namespace or of the request (!)',
  empty: 'is bound to an empty service by a rule of the namespace or of the request ($)',
} as const

/** Why a draw gave no leaf. */
export function noLeafFailure({ pathText }: Binding, kind: keyof typeof whyNoLeaf): ProxyFailure {
  return noUpstream('bind', `${pathText} ${whyNoLeaf[kind]}`)
}

/** Why a client has no endpoints to pick from; undefined when it has a set, an empty one too. */
export function unresolvedFailure({ state, idText }: BoundClient, patience: Patience): ProxyFailure | undefined {
  if (state.kind === 'unknown')
    return tooLate('resolve', `the endpoints of ${idText} were not known`, state.waitingFor, patience)
  if (state.kind === 'failed')
    return noUpstream('resolve', `the endpoints of ${idText} are not known: ${state.error.message}`)
  return state.exists ? undefined : noUpstream('resolve', `${idText} does not exist, or not any more`)
}

function tooLate(
  stage: 'bind' | 'resolve',
  what: string,
  waitingFor: string | undefined,
  { bindingTimeoutMs, timeoutStatus }: Patience,
): ProxyFailure {
  const hint = waitingFor === undefined ? '' : `; it waits for ${waitingFor}`
  return outOfTime(timeoutStatus, stage, `${what} within ${bindingTimeoutMs} ms (bindingTimeoutMs)${hint}`, true)
}

export interface Knowledge {
  readonly binding: Binding | undefined
  readonly client: BoundClient | undefined
  /** Why no naming server is connected, when none is. */
  readonly namingProblem: string | undefined
}

/** A line for each part of the knowledge that is not fresh. `now` in ms since 1970. */
export function notesOn({ binding, client, namingProblem }: Knowledge, now: number): readonly string[] {
  return [
    ...noteOn('the binding', binding?.stale, now),
    ...noteOn(`the endpoints of ${client?.idText}`, client?.stale, now),
    ...(namingProblem === undefined ? [] : [`naming server: ${namingProblem}`]),
  ]
}

function noteOn(what: string, stale: Stale | undefined, now: number): readonly string[] {
  if (stale === undefined) return []
  return [`${what}: not confirmed for ${Math.round((now - stale.since) / 1000)} s; ${stale.reason.message}`]
}
