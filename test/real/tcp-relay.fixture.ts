// A middlebox on loopback: it accepts and keeps connections, and can stop passing what they carry without telling anybody.

import type { AddressInfo } from 'node:net'
import { createConnection, createServer, type Server, type Socket } from 'node:net'

/** Dispose closes everything. */
export class TcpRelay implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isPassing = true
  /** Connections accepted since it began. */
  accepted = 0

  private constructor(port: number) {
    this.#server = createServer(client => {
      this.accepted++
      this.#join(client, createConnection({ host: '127.0.0.1', port }))
    })
  }

  static async open(port: number): Promise<TcpRelay> {
    const relay = new TcpRelay(port)
    await new Promise<void>(resolve => relay.#server.listen(0, '127.0.0.1', resolve))
    return relay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port // a TCP server's
  }

  /** From now on it swallows what comes, from both sides; nobody is closed. */
  stopPassing(): void {
    this.#isPassing = false
  }

  /** What is new passes again; what was swallowed is lost, and so the connections that it hit are of no use. */
  passAgain(): void {
    this.#isPassing = true
  }

  #join(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from)
      let isDead = !this.#isPassing
      from.on('data', chunk => {
        isDead ||= !this.#isPassing
        if (!isDead) to.write(chunk)
      })
      from.once('error', () => to.destroy())
      from.once('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>(resolve => this.#server.close(() => resolve()))
  }
}
