// Joins two sockets whose bytes are none of our business any more: after a CONNECT or a change of protocols. Knows no HTTP.
import type { Socket } from 'node:net'
import type { TimeoutQueue } from '../timeout/timeout-queue.ts'

/** A socket that speaks another protocol from here on, with what was read of it already. */
export interface TunnelEnd {
  readonly socket: Socket
  readonly early: Buffer
}

/** How much went through a tunnel, in bytes. */
export interface TunnelTraffic {
  readonly fromClient: number
  readonly fromUpstream: number
}

export interface TunnelOptions {
  /** A tunnel through which nothing came for that long is cut; absent for no limit. */
  readonly idle?: TimeoutQueue | undefined
  /** Called once, when both sockets are closed. */
  readonly onOver: (traffic: TunnelTraffic) => void
}

/**
 * Owns both sockets, which allow half-open connections, until they are closed. One side's end is passed on and the other may
 * go on sending; one that does not read is not sent more; one that breaks takes the other along. Gives a cut for both.
 */
export function runTunnel(client: TunnelEnd, upstream: TunnelEnd, { idle, onOver }: TunnelOptions): () => void {
  const cut = (): void => {
    client.socket.destroy()
    upstream.socket.destroy()
  }
  const timeout = idle?.create(cut)
  const moved = (): void => timeout?.start()
  const fromClient = join(client, upstream.socket, moved)
  const fromUpstream = join(upstream, client.socket, moved)
  let left = 2
  const closed = (): void => {
    if (--left > 0) return
    timeout?.stop()
    onOver({ fromClient: fromClient(), fromUpstream: fromUpstream() })
  }
  for (const { socket } of [client, upstream]) {
    if (socket.closed) closed()
    else socket.once('close', closed)
  }
  moved()
  return cut
}

/** One direction; gives how many bytes it has carried. */
function join({ socket, early }: TunnelEnd, to: Socket, moved: () => void): () => number {
  let bytes = early.length
  if (bytes > 0) to.write(early)
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    moved()
  })
  socket.on('error', () => to.destroy())
  if (socket.closed) to.destroySoon()
  // What it sent before it closed still goes out.
  else socket.once('close', () => to.destroySoon())
  socket.pipe(to)
  return () => bytes
}
