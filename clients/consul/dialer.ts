// Opens the connections to one agent, each within a time of the injected clock, and closes them all in the end. Knows
// nothing of requests.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { buildConnector } from 'undici'
import type { Clock } from '../../watch/clock.ts'
import { ConsulError, connectionError } from './consul-error.ts'
import { type ConsulTls, tlsSettings } from './options.ts'

/** Less than any answer is waited for, so that an agent that is not there is not taken for one that is slow. */
const connectWithinMs = 4000
const keepAliveInitialDelay = 30_000
/** A connection that the agent ends so soon after it began, without a byte, was one too many. */
const refusedWithinMs = 500

export interface DialerOptions {
  readonly host: string
  readonly port: number
  /** Host and port, for messages. */
  readonly address: string
  readonly tls?: ConsulTls
  readonly clock: Clock
  /** The agent took a connection, at that time (monotonic), and ended it at once without a word, as it does over its limit. */
  readonly onRefused: (openedAt: number) => void
  /** A connection that served was lost: whoever listens there now may be another agent, or one that has forgotten all. */
  readonly onLost: () => void
}

export class Dialer {
  readonly #options: DialerOptions
  readonly #sockets = new Set<Socket>()

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /** What undici asks for a connection. */
  readonly connect = (_: buildConnector.Options, callback: buildConnector.Callback): void => {
    const socket = this.#open()
    this.#sockets.add(socket)
    const { clock, address } = this.#options
    const giveUp = (): void => {
      const message = `the Consul agent at ${address} took no connection within ${connectWithinMs} ms`
      socket.destroy(new ConsulError('unreachable', message))
    }
    const cancel = clock.after(connectWithinMs, giveUp)
    const failed = (error: Error): void => callback(connectionError(error, address, 'unreachable'), null)
    socket.once('error', failed)
    socket.once(this.#options.tls === undefined ? 'connect' : 'secureConnect', () => {
      cancel()
      socket.off('error', failed)
      this.#watchForEnd(socket)
      callback(null, socket)
    })
    socket.once('close', () => {
      cancel()
      this.#sockets.delete(socket)
    })
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #open(): Socket {
    const { host, port, tls } = this.#options
    const common = { host, port, keepAlive: true, keepAliveInitialDelay }
    return tls === undefined
      ? connectTcp({ ...common, noDelay: true })
      : connectTls({ ...common, ...tlsSettings(tls, host) })
  }

  /** Tells when the agent ends the connection, or the network does; not when we do. */
  #watchForEnd(socket: Socket): void {
    const { clock, onRefused, onLost } = this.#options
    const openedAt = clock.monotonic()
    const ended = (): void => {
      socket.off('end', ended).off('error', broken)
      if (socket.bytesRead > 0) onLost()
      else if (clock.monotonic() - openedAt < refusedWithinMs) onRefused(openedAt)
    }
    const broken = (error: NodeJS.ErrnoException): void => {
      if (error.syscall !== undefined) ended()
    }
    socket.once('end', ended).once('error', broken)
  }
}
