// HTTP/1.1 to an API server or a proxy before it: one socket per request. It cannot tell a quiet path from a dead one.
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { type Exchange, pathBelow, type Wire } from './exchange.ts'
import type { Target } from './target.ts'

export function createHttp1Wire(): Wire {
  const closing = new AbortController()
  return {
    open: (target, path, signal) => send(target, path, AbortSignal.any([signal, closing.signal])),
    close: () => closing.abort(new Error('the connections were closed')),
  }
}

function send(target: Target, path: string, signal: AbortSignal): Promise<Exchange> {
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
    request.on('error', reject)
    request.once('response', body => {
      body.on('error', reject) // a reader that comes late must still find the error, not a crash
      resolve({ status: body.statusCode ?? 0, headers: body.headers, body, checkWhole: () => {}, isPathChecked: false })
    })
    request.end()
  })
}
