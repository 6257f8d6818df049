// A backend on bare TCP that keeps every byte it gets and reads it by the oracle: where the proxy left room for a second
// reading, it would find other requests than were sent.
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { AtEnd } from '../proxy.fixture.ts'
import { type OracleRequest, oracleRequests } from './message-oracle.fixture.ts'

export interface RecordedRequest extends OracleRequest {
  /** Counted from 1, in the order of opening. */
  readonly connection: number
}

export interface RecordingBackend {
  readonly port: number
  /** All requests so far, in the order in which they were whole. */
  readonly requests: RecordedRequest[]
  /** What connections held beside whole requests when they closed: the beginnings of requests that their clients cut. */
  readonly rests: string[]
}

/** Answers each request with `answer`; and ends the connection after those that `closesAfter` names. Closed by `atEnd`. */
export async function startRecordingBackend(
  atEnd: AtEnd,
  answer: (request: OracleRequest) => string = plainAnswer,
  closesAfter: (request: OracleRequest) => boolean = () => false,
): Promise<RecordingBackend> {
  const requests: RecordedRequest[] = []
  const sockets = new Set<Socket>()
  const rests: string[] = []
  let connections = 0
  const server = createServer(socket => {
    sockets.add(socket)
    const connection = ++connections
    let unread = ''
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      if (unread !== '') rests.push(unread)
    })
    socket.on('data', chunk => {
      const reading = oracleRequests(unread + chunk.toString('latin1'))
      unread = reading.rest
      for (const request of reading.requests) {
        requests.push({ ...request, connection })
        socket.write(answer(request), 'latin1')
        if (closesAfter(request)) socket.end()
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const { port } = server.address() as AddressInfo // a TCP server has no other kind
  return { port, requests, rests }
}

/** What `plainAnswer` is known by. */
export const seenField = 'x-seen'

/** 405 to CONNECT, so that nothing becomes a tunnel; else 200, with the target as its body. */
export function plainAnswer({ method, target }: OracleRequest): string {
  const own = `${seenField}: yes\r\n`
  if (method === 'CONNECT') return `HTTP/1.1 405 Method Not Allowed\r\n${own}Content-Length: 0\r\n\r\n`
  return `HTTP/1.1 200 OK\r\n${own}Content-Length: ${target.length}\r\n\r\n${method === 'HEAD' ? '' : target}`
}
