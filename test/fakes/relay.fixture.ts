// A TCP relay that can freeze: connections stay up and nothing passes any more, as when a peer's machine is gone.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Relay {
  readonly address: string
  /** From now on no byte passes in either direction, on old connections and new ones. */
  freeze(): void
  close(): void
}

/** Listens on a free loopback port and passes everything on to `port`. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  let isFrozen = false
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const server = createServer(incoming => {
    keep(incoming)
    if (isFrozen) return
    const outgoing = keep(connect(port, '127.0.0.1'))
    incoming.pipe(outgoing).pipe(incoming)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const listening = typeof address === 'object' && address !== null ? address.port : 0
  return {
    address: `127.0.0.1:${listening}`,
    freeze: () => {
      isFrozen = true
      for (const socket of sockets) socket.unpipe().pause()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
