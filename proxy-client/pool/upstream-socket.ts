// Opens the socket of a connection to an endpoint. Knows no messages.
import { Socket, type SocketConstructorOpts, type TcpNetConnectOpts } from 'node:net'
import type { Endpoint } from '../../naming/replica-set.ts'
import type { Clock } from '../../watch/clock.ts'

/** Silence after which the system asks whether the other side still lives. */
const probeAfterMs = 60_000

export interface ReadInto {
  /** The buffer of the next read. */
  readonly buffer: () => Buffer
  readonly callback: (bytes: number) => boolean
}

export interface SocketOptions {
  readonly endpoint: Endpoint
  readonly clock: Clock
  /** Without it the socket is an ordinary stream. */
  readonly onread: ReadInto | undefined
  /** Whether the upstream may have answered what was written so far, so that it pays to read on when a write fails. */
  readonly mayBeAnswered: () => boolean
}

/** How a connection gets its socket. */
export type OpenSocket = (onread: ReadInto | undefined, mayBeAnswered: () => boolean) => Socket

/**
 * An upstream that does not want a body answers and closes, and what it had not read makes that a reset, on which the next
 * write fails. The answer that came before the reset can still be read: the socket lives until it was looked for.
 */
class UpstreamSocket extends Socket {
  readonly #clock: Clock
  readonly #mayBeAnswered: () => boolean
  #isDoomed = false

  constructor(options: SocketConstructorOpts, clock: Clock, mayBeAnswered: () => boolean) {
    super(options)
    this.#clock = clock
    this.#mayBeAnswered = mayBeAnswered
  }

  override destroy(error?: Error): this {
    if (this.#isDoomed || !isOfWrite(error) || !this.#mayBeAnswered()) return super.destroy(error)
    this.#isDoomed = true
    // Sockets are read between two turns.
    this.#clock.defer(() => this.#clock.defer(() => this.destroy(error)))
    return this
  }
}

/** Begins to connect; what is wrong is told by 'error'. */
export function openSocket({ endpoint, clock, onread, mayBeAnswered }: SocketOptions): Socket {
  const options: TcpNetConnectOpts & SocketConstructorOpts = {
    host: endpoint.address,
    port: endpoint.port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
    autoSelectFamily: false,
    // An upstream that has said its last word may still listen; what its end means is ours to say.
    allowHalfOpen: true,
    ...(onread && { onread }),
  }
  const socket = new UpstreamSocket(options, clock, mayBeAnswered)
  try {
    return socket.connect(options)
  } catch (error) {
    // An endpoint that is no address at all fails as one that cannot be reached.
    return socket.destroy(error instanceof Error ? error : new Error(String(error)))
  }
}

function isOfWrite(error: (Error & { readonly syscall?: string }) | undefined): boolean {
  return error?.syscall === 'write'
}
