// What a client is told when its name led somewhere and no good answer came from there.
import type { BoundClient } from '../client/bound-client.ts'
import { badRequest, badUpstream, noRoom, noUpstream, outOfTime, type ProxyFailure } from '../failure.ts'
import type { UpstreamFailure } from '../pool/upstream.ts'
import type { Tries } from './tries.ts'

/** There is nothing to try. */
export function noEndpoint({ idText }: BoundClient): ProxyFailure {
  return noUpstream('balance', `${idText} has no endpoint`)
}

/** No endpoint is left to try. */
export function unreachable({ idText, balancer }: BoundClient, { problems, lastUnsent }: Tries): ProxyFailure {
  const { size } = balancer
  const which = `of ${size} endpoint${size === 1 ? '' : 's'} of ${idText} none`
  const list = problems.join(', ')
  if (lastUnsent === 'crowded') return noRoom('overload', `${which} has a connection free; tried ${list}`)
  return noUpstream('connect', `${which} could be reached; tried ${list}`)
}

/** Another endpoint could be tried, but as many were lately as the budget allows. */
export function outOfBudget({ idText }: BoundClient, { problems }: Tries): ProxyFailure {
  return noUpstream(
    'budget',
    `the budget for requeues to ${idText} is spent (requeueBudget), so that no other endpoint is tried after ${problems.join(', ')}`,
  )
}

/** One endpoint failed in a way that is not repeated. */
export function failureOf({ kind, error }: UpstreamFailure, address: string): ProxyFailure {
  switch (kind) {
    case 'refused':
    case 'crowded':
      return noUpstream('connect', `${address} could not be reached: ${error.message}`)
    case 'bodyCut':
      return badRequest('protocol', `the body of the request ended too early: ${error.message}`)
    case 'broken':
      return badUpstream('response', `${address} ended its response too early: ${error.message}`)
    case 'malformed':
      return badUpstream('response', `${address} gave an answer that is not HTTP/1.1: ${error.message}`)
    case 'unanswered':
      return badUpstream('response', `${address} gave no answer: ${error.message}`)
  }
}

export interface TimeSpent {
  readonly which: 'timeout' | 'deadline'
  /** Times that the request was sent. */
  readonly attempts: number
  readonly totalTimeoutMs: number | undefined
}

/** All the time of a request is over. */
export function outOfAllTime(status: 503 | 504, { which, attempts, totalTimeoutMs }: TimeSpent): ProxyFailure {
  const limit =
    which === 'deadline' ? 'before its deadline (l5d-ctx-deadline)' : `within ${totalTimeoutMs} ms (totalTimeoutMs)`
  const tries =
    attempts === 0 ? 'nothing was sent' : `${attempts === 1 ? '1 attempt was' : `${attempts} attempts were`} made`
  return outOfTime(status, which, `the request had no answer ${limit}; ${tries}`, attempts === 0)
}

/** The request was too late when it came. */
export function cameTooLate(status: 503 | 504, lateMs: number): ProxyFailure {
  const message = `the deadline of the request (l5d-ctx-deadline) was over ${Math.round(lateMs)} ms before it came, or a clock is wrong; nothing was sent`
  return outOfTime(status, 'deadline', message, true)
}

/** An endpoint took a request and was silent for too long. */
export function attemptTimedOut(status: 503 | 504, address: string, client: BoundClient): ProxyFailure {
  const message = `${address} gave no answer within the ${client.attemptTimeoutMs} ms of an attempt (requestAttemptTimeoutMs)`
  return outOfTime(status, 'timeout', message, false)
}
