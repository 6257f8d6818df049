// A middlebox on loopback: it can stop passing what its connections carry without telling anybody, or move on to another target.

import type { AddressInfo } from 'node:net'
import { createConnection, createServer, type Server, type Socket } from 'node:net'

/** Dispose closes everything. */
export class TcpRelay implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isPassing = true
  #isAnswering = true
  #target: number

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer(client => {
      this.#join(client, createConnection({ host: '127.0.0.1', port: this.#target }))
    })
  }

  static async open(target: number): Promise<TcpRelay> {
    const relay = new TcpRelay(target)
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

  /** From now on what servers say is swallowed, and what clients say still passes. */
  stopAnswering(): void {
    this.#isAnswering = false
  }

  /** What is new passes again; what was swallowed is lost, and so the connections that it hit are of no use. */
  passAgain(): void {
    this.#isPassing = true
    this.#isAnswering = true
  }

  /** Closes what is open; what is new goes to another port, as behind a load balancer that moves on. */
  moveTo(target: number): void {
    this.#target = target
    for (const socket of this.#sockets) socket.destroy()
  }

  #join(client: Socket, upstream: Socket): void {
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#sockets.add(from)
      let isDead = !this.#isPassing
      from.on('data', chunk => {
        isDead ||= !this.#isPassing || (from === upstream && !this.#isAnswering)
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
