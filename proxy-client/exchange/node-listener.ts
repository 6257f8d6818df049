// A listening HTTP/1.1 server on node:http that hands each request to the router. Knows nothing of names.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { listenOn } from '../../runtime/admin-server.ts'
import type { Clock } from '../../watch/clock.ts'
import { answerOf, badRequest, notSupported, type ProxyFailure } from '../failure.ts'
import { headerValues, type RawHeaders } from '../headers/raw-headers.ts'
import type { InboundHandler } from './exchange.ts'
import { NodeInbound } from './node-inbound.ts'
import { normaliseTarget } from './request-target.ts'

export interface ListenerOptions {
  readonly ip: string
  /** 0 takes any free port. */
  readonly port: number
  /** For messages: which router and server this is. */
  readonly role: string
  readonly clock: Clock
  readonly handle: InboundHandler
  /** Told of a request that was refused before it reached the router. */
  readonly onRefused: (failure: ProxyFailure) => void
}

export interface Listener {
  readonly ip: string
  readonly port: number
  /** Client connections that are open now. */
  readonly connections: number
  /** Stops listening, lets requests in progress end, and cuts what is left after drainMs. */
  close(drainMs: number): Promise<void>
}

/** Idle client connections live longer than most clients' own pools keep them, so that it is the client who closes. */
const clientIdleMs = 600_000
/** A request's head must be whole by then. */
const headTimeoutMs = 60_000

const unusableTarget = badRequest(
  'protocol',
  'the request target is neither a path nor an http URI without credentials',
)
const unknownCoding = notSupported('protocol', 'a Transfer-Encoding other than chunked is not supported')

/** Whether a body has a transfer coding beside chunked: it ends at this hop, which would have to undo it (RFC 9112, 6.1). */
function isCoded(headers: RawHeaders): boolean {
  const codings = headerValues(headers, 'transfer-encoding')
  return codings.length > 0 && codings.join().trim().toLowerCase() !== 'chunked'
}

class NodeListener implements Listener {
  readonly ip: string
  readonly #options: ListenerOptions
  readonly #server: Server
  /** Open connections, each with the responses it still owes. */
  readonly #sockets = new Map<Socket, Set<ServerResponse>>()
  #isClosing = false

  constructor(options: ListenerOptions) {
    this.ip = options.ip
    this.#options = options
    this.#server = createServer(
      {
        keepAliveTimeout: clientIdleMs,
        headersTimeout: headTimeoutMs,
        // A body may take as long as it likes.
        requestTimeout: 0,
        // We answer a missing Host ourselves, with l5d-err.
        requireHostHeader: false,
        noDelay: true,
      },
      (message, response) => this.#accept(message, response),
    )
    this.#server.on('connection', socket => this.#track(socket))
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
        socket.destroy()
        return
      }
      const why = error.code === 'HPE_HEADER_OVERFLOW' ? 'its head has over 16 KB or 1000 fields' : error.message
      this.#refuseRaw(socket, badRequest('protocol', `the request is not HTTP/1.1 as we take it: ${why}`))
    })
    this.#server.on('connect', (_message: IncomingMessage, socket: Socket) => {
      // The server has let go of the socket: an error that nobody listens to would end the process.
      socket.on('error', () => socket.destroy())
      this.#refuseRaw(socket, notSupported('protocol', 'the method CONNECT is not supported'))
    })
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo | null // a TCP server has no other kind
    return address?.port ?? 0
  }

  get connections(): number {
    return this.#sockets.size
  }

  listen(): Promise<void> {
    const { ip, port, role } = this.#options
    return listenOn(this.#server, { host: ip, port }, role)
  }

  close(drainMs: number): Promise<void> {
    this.#isClosing = true
    // Clients whose answer has not begun learn from it that they must not use their connection again.
    for (const owed of this.#sockets.values()) for (const response of owed) response.shouldKeepAlive = false
    return new Promise(resolve => {
      const cancel = this.#options.clock.after(drainMs, () => this.#server.closeAllConnections())
      this.#server.close(() => {
        cancel()
        resolve()
      })
    })
  }

  #track(socket: Socket): void {
    this.#sockets.set(socket, new Set())
    socket.once('close', () => this.#sockets.delete(socket))
  }

  #accept(message: IncomingMessage, response: ServerResponse): void {
    const target = normaliseTarget(message.url ?? '', message.rawHeaders)
    if (this.#isClosing) response.shouldKeepAlive = false
    const owed = this.#sockets.get(message.socket)
    owed?.add(response)
    response.once('finish', () => {
      owed?.delete(response)
      // Connections that were busy when closing began go once they are idle.
      if (this.#isClosing) this.#options.clock.defer(() => this.#server.closeIdleConnections())
    })
    if (target === undefined) this.#refuse(response, unusableTarget)
    else if (isCoded(message.rawHeaders)) this.#refuse(response, unknownCoding)
    else void this.#options.handle(new NodeInbound(message, response, target))
  }

  #refuse(response: ServerResponse, failure: ProxyFailure): void {
    this.#options.onRefused(failure)
    const { status, reason, headers, body } = answerOf(failure)
    response.writeHead(status, reason, headers).end(body)
  }

  #refuseRaw(socket: Socket, failure: ProxyFailure): void {
    this.#options.onRefused(failure)
    // An answer of ours in the middle of another one would be taken for a part of it.
    const isMidResponse = [...(this.#sockets.get(socket) ?? [])].some(response => response.headersSent)
    if (isMidResponse || !socket.writable) {
      socket.destroy()
      return
    }
    const { status, reason, headers, body } = answerOf(failure)
    let head = `HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\n`
    for (let i = 0; i + 1 < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`
    socket.end(`${head}\r\n${body}`)
  }
}

/** Binds and serves; rejects with `unavailable` naming the address when it cannot bind. The caller closes it. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const listener = new NodeListener(options)
  await listener.listen()
  return listener
}
