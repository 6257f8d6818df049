// HTTP/1.1 to an API server or a proxy before it: one socket per request. It cannot tell a quiet path from a dead one.
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { type Exchange, headersOf, pathBelow, type Wire, type WireRequest } from './exchange.ts'
import type { Target } from './target.ts'

export function createHttp1Wire(): Wire {
  const closing = new AbortController()
  return {
    open: (target, request, signal) => send(target, request, AbortSignal.any([signal, closing.signal])),
    close: () => closing.abort(new Error('the connections were closed')),
  }
}

function send(target: Target, wanted: WireRequest, signal: AbortSignal): Promise<Exchange> {
  const { url, tls } = target
  const { method = 'GET', path, body } = wanted
  const options = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (tls === undefined ? 80 : 443) : url.port,
    method,
    path: pathBelow(target, path),
    headers: headersOf(target, wanted),
    agent: false as const,
    signal,
  }
  return new Promise((resolve, reject) => {
    const request = tls === undefined ? plainRequest(options) : tlsRequest({ ...options, ...tls })
    request.on('error', reject)
    request.once('response', answer => {
      answer.on('error', reject) // a reader that comes late must still find the error, not a crash
      const { statusCode: status = 0, headers } = answer
      resolve({ status, headers, body: answer, checkWhole: () => {}, isPathChecked: false })
    })
    request.end(body?.bytes)
  })
}
