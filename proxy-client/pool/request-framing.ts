// The lines of a request that frame its body or concern its connection: those that the pool adds. Knows no socket.
import { isAmong } from '../http1/connection.ts'
import type { ResponseHead } from '../http1/message.ts'
import type { UpstreamRequest } from './upstream.ts'

/** Methods whose servers expect to be told that there is no content (RFC 9110, 8.6). */
const contentMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])

/** The whole head as it goes on the wire. A connection is kept without saying so, as HTTP/1.1 has it. */
export function requestHeadText(request: UpstreamRequest): string {
  const { method, headText, body, upgrade, expectsContinue } = request
  const connection = upgrade === undefined ? '' : `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
  if (body === undefined) {
    return contentMethods.has(method)
      ? `${headText}Content-Length: 0\r\n${connection}\r\n`
      : `${headText}${connection}\r\n`
  }
  const framing =
    body.length === undefined ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${String(body.length)}\r\n`
  const expectation = expectsContinue ? 'Expect: 100-continue\r\n' : ''
  return `${headText}${framing}${expectation}${connection}\r\n`
}

/** Whether the connection may belong to another protocol afterwards. */
export function mayTunnel({ method, upgrade }: UpstreamRequest): boolean {
  return upgrade !== undefined || method === 'CONNECT'
}

/** Whether a response that begins a tunnel is one that was asked for: 101 to a protocol of ours, or 2xx to CONNECT. */
export function maySwitch({ method, upgrade }: UpstreamRequest, head: ResponseHead): boolean {
  return head.status === 101 ? isAmong(head.upgrade, upgrade) : method === 'CONNECT'
}
