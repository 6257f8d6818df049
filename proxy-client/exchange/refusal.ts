// What the proxy says to a request that never reaches the router, as bytes. Knows no socket.
import { answerOf, badRequest, notSupported, type ProxyFailure, tooLarge } from '../failure.ts'
import type { MessageProblem } from '../http1/message.ts'

/** A whole answer after which the connection closes. */
export function refusalOf(failure: ProxyFailure): Buffer {
  const { status, reason, lines, body } = answerOf(failure)
  const framing = `Content-Length: ${body.length}\r\nConnection: close\r\n`
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${reason}\r\n${lines}${framing}\r\n`, 'latin1'), body])
}

/** Undefined when the stream was cut: there is nobody to answer. */
export function failureOf({ kind, message }: MessageProblem): ProxyFailure | undefined {
  switch (kind) {
    case 'malformed':
      return badRequest('protocol', message)
    case 'tooLong':
      return tooLarge('protocol', message)
    case 'unsupported':
      return notSupported('protocol', message)
    case 'cut':
      return undefined
  }
}
