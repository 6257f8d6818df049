// A listening socket whose connections hand each request to a handler. Knows nothing of names.
import { type AddressInfo, createServer, type Server } from 'node:net'
import { listenOn } from '../../runtime/admin-server.ts'
import type { Clock } from '../../watch/clock.ts'
import type { ProxyFailure } from '../failure.ts'
import { defaultLimits } from '../http1/limits.ts'
import type { HeadLimits } from '../http1/message.ts'
import { ClientConnection } from './client-connection.ts'
import { ConnectionContext, type ListenerConfig } from './connection-context.ts'
import type { InboundHandler } from './inbound.ts'

/** Told of connections, to count them. */
export interface ConnectionEvents {
  opened(): void
  closed(): void
}

export interface ListenerOptions {
  /** `port` 0 takes any free one. */
  readonly config: ListenerConfig
  /** For messages: which router and server this is. */
  readonly role: string
  readonly clock: Clock
  readonly handle: InboundHandler
  /** Told of a request that was refused before it reached the handler, or broke off in a way that we answered. */
  readonly onRefused: (failure: ProxyFailure) => void
  /** Told of an error of our own that cost a client's connection; the others go on. */
  readonly onCrash: (error: unknown) => void
  /** linkerd's limits when absent. */
  readonly limits?: HeadLimits
  readonly connectionEvents?: ConnectionEvents
  /** Told when a connection could not be accepted, for want of files for instance; the listener goes on. */
  readonly onAcceptError?: (error: Error) => void
}

export interface Listener {
  readonly ip: string
  /** The port that was bound, also when 0 was asked for. */
  readonly port: number
  /** Client connections that are open now, tunnels among them. */
  readonly connections: number
  /** Requests in progress, tunnels among them. */
  readonly requests: number
  /** Stops listening, closes idle connections, lets requests in progress end, and cuts what is left after drainMs. */
  close(drainMs: number): Promise<void>
}

class SocketListener implements Listener {
  readonly ip: string
  readonly #options: ListenerOptions
  readonly #context: ConnectionContext
  readonly #server: Server
  readonly #connections = new Set<ClientConnection>()
  #closed: Promise<void> | undefined
  #onLastForgotten: (() => void) | undefined

  constructor(options: ListenerOptions) {
    this.ip = options.config.ip
    this.#options = options
    this.#context = new ConnectionContext({ ...options, limits: options.limits ?? defaultLimits })
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      this.#connections.add(new ClientConnection(socket, this.#context, this.#forget))
      options.connectionEvents?.opened()
    })
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo | null // a TCP server has no other kind
    return address?.port ?? 0
  }

  get connections(): number {
    return this.#connections.size
  }

  get requests(): number {
    return this.#context.requests
  }

  async listen(): Promise<void> {
    const { config, role } = this.#options
    const { onAcceptError } = this.#options
    await listenOn(this.#server, { host: config.ip, port: config.port, ...config.socketOptions }, role)
    this.#server.on('error', error => onAcceptError?.(error))
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs)
    return this.#closed
  }

  async #close(drainMs: number): Promise<void> {
    const cancel = this.#options.clock.after(drainMs, () => {
      for (const connection of this.#connections) connection.destroy()
    })
    const stopped = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const connection of this.#connections) connection.drain()
    await Promise.all([stopped, this.#allForgotten()])
    cancel()
    this.#context.close()
  }

  #allForgotten(): Promise<void> {
    return new Promise(resolve => {
      if (this.#connections.size === 0) resolve()
      else this.#onLastForgotten = resolve
    })
  }

  readonly #forget = (connection: ClientConnection): void => {
    this.#connections.delete(connection)
    this.#options.connectionEvents?.closed()
    if (this.#connections.size === 0) this.#onLastForgotten?.()
  }
}

/** Binds and serves; rejects with `unavailable` naming the address when it cannot bind. The caller closes it. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const listener = new SocketListener(options)
  await listener.listen()
  return listener
}
