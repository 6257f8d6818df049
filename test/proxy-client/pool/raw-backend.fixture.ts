// A backend whose every byte the test decides: it listens on loopback and hands out its connections.
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { Endpoint } from '../../../naming/replica-set.ts'

/** One connection as the backend sees it. */
export class BackendConnection {
  readonly socket: Socket
  /** All that came, as bytes in a string. */
  received = ''
  isEnded = false
  isClosed = false
  readonly #waiting = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => this.#change(() => (this.received += chunk.toString('latin1'))))
    socket.on('end', () => this.#change(() => (this.isEnded = true)))
    socket.on('close', () => this.#change(() => (this.isClosed = true)))
    // A proxy that cuts a connection resets it; 'close' follows.
    socket.on('error', () => undefined)
  }

  send(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  end(text = ''): this {
    this.socket.end(text, 'latin1')
    return this
  }

  /** Settles once the condition holds; it is looked at after every change. */
  async until(condition: (connection: this) => boolean): Promise<this> {
    while (!condition(this)) await new Promise<void>(resolve => this.#waiting.add(resolve))
    return this
  }

  /** Settles once so many requests without a body have come. */
  requests(count = 1): Promise<this> {
    return this.until(({ received }) => received.split('\r\n\r\n').length > count)
  }

  /** Settles once the other side has closed it. */
  closed(): Promise<this> {
    return this.until(({ isEnded, isClosed }) => isEnded || isClosed)
  }

  #change(apply: () => void): void {
    apply()
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}

export class RawBackend {
  readonly #server: Server
  readonly connections: BackendConnection[] = []
  readonly #waiting = new Set<() => void>()

  constructor(server: Server, onConnection: (connection: BackendConnection) => void) {
    this.#server = server
    server.on('connection', socket => {
      const connection = new BackendConnection(socket)
      this.connections.push(connection)
      onConnection(connection)
      const waiting = [...this.#waiting]
      this.#waiting.clear()
      for (const wake of waiting) wake()
    })
  }

  get endpoint(): Endpoint {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('not listening')
    return { address: '127.0.0.1', port: address.port, weight: 1 }
  }

  /** The connection of that number, once it has come. */
  async connection(index = 0): Promise<BackendConnection> {
    for (;;) {
      const connection = this.connections[index]
      if (connection !== undefined) return connection
      await new Promise<void>(resolve => this.#waiting.add(resolve))
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const { socket } of this.connections) socket.destroy()
    await closed
  }
}

export async function openRawBackend(
  onConnection: (connection: BackendConnection) => void = () => undefined,
): Promise<RawBackend> {
  const server = createServer({ noDelay: true, allowHalfOpen: true })
  const backend = new RawBackend(server, onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return backend
}

/** Answers each request that has no body with the text. */
export function answering(text: string): (connection: BackendConnection) => void {
  return connection => {
    let answered = 0
    connection.socket.on('data', () => {
      const whole = connection.received.split('\r\n\r\n').length - 1
      for (; answered < whole; answered++) connection.send(text)
    })
  }
}
