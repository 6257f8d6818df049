// Sends one request to a bound client: picks an endpoint, and another one when that is safe because nothing was sent.

import type { Destination } from '../binding/binding.ts'
import { showEndpoint } from '../endpoint-address.ts'
import type { Inbound } from '../exchange/exchange.ts'
import { badRequest, badUpstream, noUpstream, type ProxyFailure } from '../failure.ts'
import { forwardRequestHeaders } from '../headers/forward.ts'
import type { RawHeaders } from '../headers/raw-headers.ts'
import type { Upstream, UpstreamFailure } from '../pool/upstream.ts'
import { type AttemptResult, attempt } from './attempt.ts'

export type SendResult =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'failed'; readonly failure: ProxyFailure }

export interface SendOptions {
  readonly isSuccess: (method: string, status: number) => boolean
  readonly onRequeue: () => void
}

/** Endpoints that one request tries at most when they refuse connections. */
const maxEndpoints = 10

/** Methods that mean the same when they are received twice (RFC 9110, 9.2.2). */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Settles when the response has ended; a failure has not been answered yet. Never rejects. */
export async function send(
  inbound: Inbound,
  { client, headers: destinationHeaders }: Destination,
  requestId: string,
  options: SendOptions,
): Promise<SendResult> {
  const { method, httpVersion, headers } = inbound.head
  const added: RawHeaders = [...destinationHeaders, 'l5d-reqid', requestId]
  const forwarded = forwardRequestHeaders(headers, httpVersion, added)
  const isSuccess = (status: number): boolean => options.isSuccess(method, status)
  const tried: Upstream[] = []
  const problems: string[] = []
  let mayRepeat = idempotent.has(method) && !inbound.hasBody
  for (;;) {
    const pick = tried.length < maxEndpoints ? client.pick(tried) : undefined
    if (pick === undefined)
      return { kind: 'failed', failure: unreachable(client.idText, client.balancer.size, problems) }
    const { target, endpoint } = pick
    const result: AttemptResult = await attempt(inbound, pick, forwarded, isSuccess)
    if (result.kind !== 'failed') return result
    const { failure } = result
    if (failure.kind === 'refused') tried.push(target)
    // A kept connection that the upstream closes just as we use it: harmless to repeat, once.
    else if (failure.kind === 'unanswered' && mayRepeat && !inbound.response.isStarted) mayRepeat = false
    else return { kind: 'failed', failure: failureOf(failure, showEndpoint(endpoint)) }
    problems.push(`${showEndpoint(endpoint)} (${failure.error.message})`)
    options.onRequeue()
  }
}

function unreachable(id: string, endpoints: number, problems: readonly string[]): ProxyFailure {
  if (problems.length === 0) return noUpstream('balance', `${id} has no endpoint`)
  return noUpstream('connect', `of ${endpoints} endpoints of ${id} none could be reached; tried ${problems.join(', ')}`)
}

function failureOf({ kind, error }: UpstreamFailure, address: string): ProxyFailure {
  if (kind === 'unsendable') return badRequest('protocol', `the request cannot be sent on: ${error.message}`)
  if (kind === 'broken') return badUpstream('response', `${address} ended its response too early: ${error.message}`)
  return badUpstream('response', `${address} gave no answer: ${error.message}`)
}
