// One try of a request at one endpoint: its response is relayed to the client as it comes, with back-pressure both ways.
import type { Pick } from '../balancer/balancer.ts'
import type { Inbound } from '../exchange/exchange.ts'
import { forwardResponseHeaders, forwardTrailers } from '../headers/forward.ts'
import type { RawHeaders } from '../headers/raw-headers.ts'
import type { Sending, Upstream, UpstreamFailure, UpstreamHandler } from '../pool/upstream.ts'

export type AttemptResult =
  | { readonly kind: 'answered'; readonly status: number }
  /** The client left first. */
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'failed'; readonly failure: UpstreamFailure }

class Attempt implements UpstreamHandler {
  readonly #inbound: Inbound
  readonly #sending: Sending
  readonly #done: (result: AttemptResult) => void
  #status = 0

  constructor(inbound: Inbound, upstream: Upstream, headers: RawHeaders, done: (result: AttemptResult) => void) {
    this.#inbound = inbound
    this.#done = done
    const { method, target } = inbound.head
    const body = inbound.hasBody ? inbound.openBody() : null
    this.#sending = upstream.send({ method, target, headers, body }, this)
    inbound.onAbandon(() => this.#sending.abort(new Error('the client left')))
  }

  onResponse(status: number, reason: string, headers: RawHeaders): void {
    this.#inbound.response.start(status, reason, forwardResponseHeaders(headers))
    this.#status = status
  }

  onData(chunk: Uint8Array): boolean {
    const takesMore = this.#inbound.response.write(chunk)
    if (!takesMore) this.#inbound.onDrain(() => this.#sending.resume())
    return takesMore
  }

  onEnd(trailers: RawHeaders): void {
    this.#inbound.response.end(forwardTrailers(trailers))
    this.#done({ kind: 'answered', status: this.#status })
  }

  onFailure(failure: UpstreamFailure): void {
    this.#done(this.#inbound.isAbandoned ? { kind: 'abandoned' } : { kind: 'failed', failure })
  }
}

/** Sends the request and relays the answer; settles when that has ended, and never rejects. The pick is released. */
export function attempt(
  inbound: Inbound,
  pick: Pick<Upstream>,
  headers: RawHeaders,
  isSuccess: (status: number) => boolean,
): Promise<AttemptResult> {
  return new Promise(resolve => {
    new Attempt(inbound, pick.target, headers, result => {
      pick.release(outcomeOf(result, isSuccess))
      resolve(result)
    })
  })
}

function outcomeOf(
  result: AttemptResult,
  isSuccess: (status: number) => boolean,
): Parameters<Pick<Upstream>['release']>[0] {
  if (result.kind === 'abandoned') return 'aborted'
  if (result.kind === 'answered') return isSuccess(result.status) ? 'success' : 'failure'
  return result.failure.kind === 'refused' ? 'refused' : 'failure'
}
