// The pool on undici: keep-alive HTTP/1.1 connections to one endpoint, one request at a time on each.
import { type Dispatcher, Pool } from 'undici'
import type { Endpoint } from '../../naming/replica-set.ts'
import { showEndpoint } from '../endpoint-address.ts'
import type { RawHeaders } from '../headers/raw-headers.ts'
import type { Sending, Upstream, UpstreamFactory, UpstreamHandler, UpstreamRequest } from './upstream.ts'

export interface UndiciPoolOptions {
  readonly connectTimeoutMs: number
  /** How long an unused connection is kept; an upstream that announces less is believed. */
  readonly idleTimeMs: number
}

/** Head of a response in bytes; more is a failed exchange. */
const maxHeadBytes = 64 * 1024

class UndiciUpstream implements Upstream {
  readonly #pool: Pool

  constructor(endpoint: Endpoint, options: UndiciPoolOptions) {
    this.#pool = new Pool(`http://${showEndpoint(endpoint)}`, {
      connect: { timeout: options.connectTimeoutMs, noDelay: true },
      keepAliveTimeout: options.idleTimeMs,
      keepAliveMaxTimeout: options.idleTimeMs,
      pipelining: 1,
      maxHeaderSize: maxHeadBytes,
      // Exchanges have no time limit of their own here, as in linkerd.
      headersTimeout: 0,
      bodyTimeout: 0,
    })
  }

  get connections(): number {
    return this.#pool.stats.connected
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): Sending {
    const exchange = new UndiciExchange(handler)
    this.#pool.dispatch(
      {
        path: request.target,
        method: request.method,
        headers: request.headers as string[], // undici only reads it
        body: request.body,
        // Pool-level repeats are off: whether a request may be sent again is decided above.
        idempotent: false,
      },
      exchange,
    )
    return exchange
  }

  close(): Promise<void> {
    return this.#pool.closed ? Promise.resolve() : this.#pool.close()
  }

  destroy(reason: Error): Promise<void> {
    return this.#pool.destroyed ? Promise.resolve() : this.#pool.destroy(reason)
  }
}

/** Turns undici's callbacks into ours and remembers how far the exchange came. */
class UndiciExchange implements Dispatcher.DispatchHandler, Sending {
  readonly #handler: UpstreamHandler
  #controller: Dispatcher.DispatchController | undefined
  #progress: 'refused' | 'unanswered' | 'broken' | 'ended' = 'refused'
  #abortReason: Error | undefined

  constructor(handler: UpstreamHandler) {
    this.#handler = handler
  }

  abort(reason: Error): void {
    this.#abortReason = reason
    this.#controller?.abort(reason)
  }

  resume(): void {
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // Given up before a connection was there: nothing is sent.
    if (this.#abortReason !== undefined) controller.abort(this.#abortReason)
    else this.#progress = 'unanswered'
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: object, reason?: string): void {
    // Interim answers are between the upstream and us.
    if (status < 200) return
    this.#handler.onResponse(status, reason ?? '', decodeHeaders(controller.rawHeaders))
    this.#progress = 'broken'
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#handler.onData(chunk)) controller.pause()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#progress = 'ended'
    this.#handler.onEnd(decodeHeaders(controller.rawTrailers))
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const progress = this.#progress
    if (progress === 'ended') return
    this.#progress = 'ended'
    this.#handler.onFailure({ kind: isUnsendable(error) ? 'unsendable' : progress, error })
  }
}

function isUnsendable(error: Error): boolean {
  return 'code' in error && (error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED')
}

/** undici hands over names and values as bytes. */
function decodeHeaders(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (!Array.isArray(raw)) return []
  return raw.map(part => (typeof part === 'string' ? part : part.toString('latin1')))
}

export function createUndiciPools(options: UndiciPoolOptions): UpstreamFactory {
  return endpoint => new UndiciUpstream(endpoint, options)
}
