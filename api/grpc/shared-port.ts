// A port that several threads listen on, each with a socket of its own: the system spreads new connections over them. Hands
// what it accepts to grpc-js, which can open no such socket itself. Knows no service.
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net'
import { type Server, ServerCredentials } from '@grpc/grpc-js'
import { type ListenAddress, listenOn } from '../../runtime/admin-server.ts'

export class SharedPort {
  readonly #injector: ReturnType<Server['createConnectionInjector']>
  readonly #listener: NetServer

  /** Of a grpc-js server that has its limits already. */
  constructor(server: Server) {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
    this.#injector = injector
    this.#listener = createServer({ noDelay: true }, socket => injector.injectConnection(socket))
  }

  /** Resolves to the address in use; rejects with `unavailable` when it cannot be had, or ports cannot be shared here. */
  async listen({ host, port }: ListenAddress): Promise<ListenAddress> {
    await listenOn(this.#listener, { host, port, reusePort: true }, 'gRPC')
    const { port: bound } = this.#listener.address() as AddressInfo // a TCP server has no other kind
    return { host, port: bound }
  }

  /** Accepts nobody any more, asks peers to go, and cuts them off after that time. Resolves when all are gone. */
  async drain(graceMs: number): Promise<void> {
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    this.#listener.close(() => resolve())
    this.#injector.drain(graceMs)
    await gone
  }
}
