import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BarePeer, ContentServer, until } from '../api/push/push-peer.fixture.ts'

const names = Array.from({ length: 5 }, (_, i) => `name-${i}`)
const bytes = 15_000

describe('P4: readers that stop reading', () => {
  let server: ContentServer
  let undo: DisposableStack

  beforeEach(async () => {
    undo = new DisposableStack()
    server = await ContentServer.start()
  })

  afterEach(async () => {
    undo.dispose()
    await server[Symbol.asyncDispose]()
  })

  const changeAll = (round: number): void => {
    for (const name of names) server.cell(name).set(Buffer.alloc(bytes, round))
  }

  it('keep nobody from any change, hold one message each, and are cut alone', async () => {
    const follow = () => undo.use(new BarePeer(server.port)).follow(...names)
    const stopped = Array.from({ length: 3 }, follow)
    const healthy = Array.from({ length: 3 }, follow)
    changeAll(0)
    await until(() => [...stopped, ...healthy].every(stream => stream.messages.length === names.length))
    for (const stream of stopped) stream.pause()
    for (let round = 1; round <= 8; round++) {
      changeAll(round)
      await until(() => healthy.every(stream => stream.messages.length === names.length * (round + 1)))
      expect(server.context.unsent.bytes).toBeLessThanOrEqual(stopped.length * (bytes + 5))
    }
    server.clock.advance(11_500)
    await until(() => server.context.streams === healthy.length)
    for (const stream of stopped) {
      stream.resume()
      expect(await stream.ended()).toMatchObject({ resetCode: 8 })
    }
    expect(server.kernel.counts().watchers).toBe(healthy.length * names.length)
  })

  it('are right at once when they read again in time', async () => {
    const stream = undo.use(new BarePeer(server.port)).follow(...names)
    changeAll(0)
    await until(() => stream.messages.length === names.length)
    stream.pause()
    for (let round = 1; round <= 20; round++) {
      const { deliveries } = server.kernel.counts()
      changeAll(round)
      await until(() => server.kernel.counts().deliveries === deliveries + names.length)
    }
    stream.resume()
    await until(() => stream.messages.slice(-names.length).every(message => message[0] === 20))
    // What the window and the client's buffer held and one on its way, then the newest of each name.
    const held = Math.ceil(131_072 / bytes) + 1
    expect(stream.messages.length).toBeLessThanOrEqual(names.length + held + names.length)
  })

  it('are let go also when their socket takes nothing any more', async () => {
    const line = undo.adopt(await startJammingRelay(server.port), relay => relay.close())
    const lost = undo.use(new BarePeer(line.address, 50_000_000))
    const streams = Array.from({ length: 4 }, () => lost.follow('large'))
    server.cell('large').set(Buffer.from('small yet'))
    await until(() => streams.every(stream => stream.messages.length === 1))
    line.jam()
    server.cell('large').set(Buffer.alloc(4_000_000))
    await until(() => server.streams.every(stream => stream.unsentBytes > 0))
    // Time passes while the buffers of the system fill: who is reset then has been taken nothing of for thousands of turns.
    await until(() => {
      server.clock.advance(2)
      return server.context.streams === 0
    })
    expect(server.context.unsent.bytes).toBe(0)
    await until(() => server.calls === 0 && server.kernel.counts().watchers === 0)
    expect(server.clock.waiting).toBe(0)
  })
})

interface JammingRelay {
  readonly address: string
  /** From now on nothing that the server sends is taken off its socket. */
  jam(): void
  close(): void
}

async function startJammingRelay(port: number): Promise<JammingRelay> {
  const sockets: Socket[] = []
  const relay = createServer(incoming => {
    const outgoing = connect(port, '127.0.0.1')
    for (const socket of [incoming, outgoing]) socket.on('error', () => {})
    sockets.push(incoming, outgoing)
    incoming.pipe(outgoing).pipe(incoming)
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const { port: own } = relay.address() as AddressInfo // a TCP server has no other kind
  return {
    address: `127.0.0.1:${own}`,
    jam: () => {
      for (const socket of sockets) socket.unpipe().pause()
    },
    close: () => {
      for (const socket of sockets) socket.destroy()
      relay.close()
    },
  }
}
