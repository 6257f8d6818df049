// HTTP/1.1 to an API server or a proxy before it: one socket per request. A small probe beside the watches notices a
// path that has died without a word.
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Cancel, Clock } from '../../watch/clock.ts'
import { Deadline } from './deadline.ts'
import { type Exchange, pathBelow, type Wire } from './exchange.ts'
import type { Target } from './target.ts'

/** A dead path is noticed within the sum of both: 12 seconds. */
const probeEveryMs = 6_000
const probeDeadlineMs = 6_000
/** Any answer to it, a refusal too, shows that the path is alive. */
const probePath = '/version'

/**
 * While exchanges are under way a request goes out beside them every few seconds. One that is not answered in time ends
 * all of them: the path is dead. One that fails in another way proves nothing.
 */
export function createHttp1Wire(clock: Clock): Wire {
  return new Http1Wire(clock)
}

class Http1Wire implements Wire {
  readonly #clock: Clock
  readonly #closing = new AbortController()
  /** Exchanges under way, and how to end each. */
  readonly #open = new Set<AbortController>()
  #target: Target | undefined
  #cancelProbe: Cancel | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async open(target: Target, path: string, signal: AbortSignal): Promise<Exchange> {
    this.#target = target
    const ending = new AbortController()
    this.#open.add(ending)
    this.#cancelProbe ??= this.#clock.after(probeEveryMs, this.#probe)
    return await send(target, path, AbortSignal.any([signal, ending.signal, this.#closing.signal]), () =>
      this.#ended(ending),
    )
  }

  close(): void {
    this.#cancelProbe?.()
    this.#closing.abort(new Error('the connections were closed'))
  }

  #ended(ending: AbortController): void {
    this.#open.delete(ending)
    if (this.#open.size > 0) return
    this.#cancelProbe?.()
    this.#cancelProbe = undefined
  }

  readonly #probe = (): void => {
    const target = this.#target
    if (target === undefined || this.#closing.signal.aborted) return
    const probed = [...this.#open]
    const deadline = new Deadline(this.#clock, this.#closing.signal)
    deadline.arm(probeDeadlineMs, `${probePath}: no answer within ${probeDeadlineMs / 1000} s`)
    deadline.signal.addEventListener('abort', () => {
      for (const ending of probed) ending.abort(new Error('the path is dead: no answer to a probe'))
    })
    this.#cancelProbe = this.#clock.after(probeEveryMs, this.#probe)
    send(target, probePath, deadline.signal, () => deadline[Symbol.dispose]()).then(
      exchange => exchange.body.resume(),
      () => deadline[Symbol.dispose](), // refused or reset: the watches' own sockets will say whether they are hurt
    )
  }
}

function send(target: Target, path: string, signal: AbortSignal, closed: () => void): Promise<Exchange> {
  const { url, tls } = target
  const options = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (tls === undefined ? 80 : 443) : url.port,
    path: pathBelow(target, path),
    headers: { accept: 'application/json', ...target.headers },
    agent: false as const,
    signal,
  }
  return new Promise((resolve, reject) => {
    const request = tls === undefined ? plainRequest(options) : tlsRequest({ ...options, ...tls })
    request.once('close', closed)
    request.on('error', reject)
    request.once('response', body => {
      body.on('error', reject) // a reader that comes late must still find the error, not a crash
      resolve({ status: body.statusCode ?? 0, headers: body.headers, body })
    })
    request.end()
  })
}
