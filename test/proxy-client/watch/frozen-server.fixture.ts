// A server that takes connections and never says a word.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'

export interface FrozenServer {
  readonly address: string
  /** How many connections it has taken. */
  accepted(): number
  close(): void
}

export async function startFrozenServer(): Promise<FrozenServer> {
  const sockets: Socket[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    sockets.push(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    address: `127.0.0.1:${port}`,
    accepted: () => sockets.length,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
