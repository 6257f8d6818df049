// Opens the socket of a connection to an endpoint. Knows no messages.
import { connect, Socket, type TcpNetConnectOpts } from 'node:net'
import type { Endpoint } from '../../naming/replica-set.ts'

/** Silence after which the system asks whether the other side still lives. */
const probeAfterMs = 60_000

export interface ReadInto {
  /** The buffer of the next read. */
  readonly buffer: () => Buffer
  readonly callback: (bytes: number) => boolean
}

/** Begins to connect; what is wrong is told by 'error'. Without `onread` the socket is an ordinary stream. */
export function openSocket({ address, port }: Endpoint, onread?: ReadInto): Socket {
  const options: TcpNetConnectOpts = {
    host: address,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeAfterMs,
    autoSelectFamily: false,
    // An upstream that has said its last word may still listen; what its end means is ours to say.
    allowHalfOpen: true,
  }
  try {
    return connect(onread === undefined ? options : { ...options, onread })
  } catch (error) {
    // An endpoint that is no address at all fails as one that cannot be reached.
    return new Socket().destroy(error instanceof Error ? error : new Error(String(error)))
  }
}
