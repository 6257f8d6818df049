// A TCP relay that can freeze, when connections stay up and nothing passes any more, as when a peer's machine is gone, and
// that can cut its connections within a message.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Relay {
  readonly address: string
  /** From now on no byte passes in either direction, on old connections and new ones. */
  freeze(): void
  /** New connections pass again; the old ones stay dead. */
  thaw(): void
  /** From now on what comes from the far side waits, chunk by chunk. */
  hold(): void
  /** Resolves once so many chunks wait. */
  untilHeld(chunks: number): Promise<void>
  /** Passes on the chunk that has waited longest. */
  release(): void
  /** Cuts every connection as soon as so many more bytes have come from the far side, and passes on those. */
  cutAfter(bytes: number): void
  close(): void
}

/** Listens on a free loopback port and passes everything on to `port`. */
export async function startRelay(port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const dead = new WeakSet<Socket>()
  const held: (() => void)[] = []
  const waiting = new Set<() => void>()
  let isHolding = false
  let isFrozen = false
  let bytesLeft = Number.POSITIVE_INFINITY
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    return socket
  }
  const cut = (): void => {
    bytesLeft = Number.POSITIVE_INFINITY
    for (const socket of sockets) socket.end().destroySoon()
  }
  const passBack = (incoming: Socket, chunk: Buffer): void => {
    if (isHolding) {
      held.push(() => incoming.write(chunk))
      for (const look of waiting) look()
      return
    }
    if (isFrozen || dead.has(incoming)) return
    incoming.write(chunk.subarray(0, bytesLeft))
    bytesLeft -= chunk.length
    if (bytesLeft <= 0) cut()
  }
  const server = createServer(incoming => {
    keep(incoming)
    if (isFrozen) return
    const outgoing = keep(connect(port, '127.0.0.1'))
    incoming.pipe(outgoing)
    outgoing.on('data', (chunk: Buffer) => passBack(incoming, chunk))
    outgoing.on('close', () => incoming.destroySoon())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const listening = typeof address === 'object' && address !== null ? address.port : 0
  return {
    address: `127.0.0.1:${listening}`,
    freeze: () => {
      isFrozen = true
      for (const socket of sockets) {
        dead.add(socket)
        socket.unpipe().pause()
      }
    },
    thaw: () => {
      isFrozen = false
    },
    hold: () => {
      isHolding = true
    },
    untilHeld: async chunks => {
      while (held.length < chunks) await new Promise<void>(resolve => waiting.add(resolve))
      waiting.clear()
    },
    release: () => held.shift()?.(),
    cutAfter: bytes => {
      bytesLeft = bytes
      if (bytes <= 0) cut()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
