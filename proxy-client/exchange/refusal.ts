// What the proxy says to a request that never reaches the router, as bytes. Knows no socket.
import {
  answerOf,
  badRequest,
  notSupported,
  otherVersion,
  type ProxyFailure,
  tooLarge,
  uriTooLong,
} from '../failure.ts'
import type { MessageProblem } from '../http1/message.ts'

/** A whole answer after which the connection closes; one to HEAD has no body (RFC 9110, 9.3.2). `now` by `Clock.now`. */
export function refusalOf(failure: ProxyFailure, isOfHead: boolean, now: number): Buffer {
  const { status, reason, lines, body } = answerOf(failure, now)
  const framing = `Content-Length: ${body.length}\r\nConnection: close\r\n`
  const head = Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${lines}${framing}\r\n`, 'latin1')
  return isOfHead ? head : Buffer.concat([head, body])
}

/** Undefined when the stream was cut: there is nobody to answer. */
export function failureOf({ kind, message }: MessageProblem): ProxyFailure | undefined {
  switch (kind) {
    case 'malformed':
      return badRequest('protocol', message)
    case 'lineTooLong':
      return uriTooLong('protocol', message)
    case 'tooLong':
      return tooLarge('protocol', message)
    case 'otherVersion':
      return otherVersion('protocol', message)
    case 'unsupported':
      return notSupported('protocol', message)
    case 'cut':
      return undefined
  }
}
