// R3: clients that a server with too many sends to another one are sent nothing that they have.
import { once } from 'node:events'
import { connect as connectTo, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWatchClient, type WatchClient } from '../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../runtime/log.ts'
import { startServer, type TestServer, testKernel, until } from '../api/grpc/grpc-api.fixture.ts'
import { path, treeTo } from '../fakes/interpreter.fake.ts'
import { SocketClock } from '../fakes/socket-clock.fake.ts'

const clock = new SocketClock()
const size = 12

/** Much more than all else that is said to a client. */
const contentBytes = 100_000

let servers: readonly [TestServer, TestServer]
let link: CountingLink
let clients: readonly WatchClient[]
let states: string[]

/** Passes everything on to a port, and counts what comes back. */
class CountingLink {
  bytes = 0
  readonly #server: Server

  constructor(port: number) {
    this.#server = createServer(near => {
      const far = connectTo(port, '127.0.0.1')
      far.on('data', (chunk: Buffer) => {
        this.bytes += chunk.length
      })
      near.pipe(far).pipe(near)
      for (const socket of [near, far]) socket.on('error', () => socket.destroy())
    })
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? `127.0.0.1:${address.port}` : ''
  }

  close(): void {
    this.#server.close()
  }
}

/** Time passes until it is so. */
async function pass(isTrue: () => boolean): Promise<void> {
  await until(() => {
    clock.advance(10)
    return isTrue()
  })
}

function connect(index: number, addresses: readonly string[]): WatchClient {
  const kernel = testKernel(clock)
  // Whoever chooses begins with the first server.
  let drawn = 0
  const random = (): number => (drawn++ % 2 === 0 ? 0.1 : 0.9)
  const client = createWatchClient({ addresses, clientId: `${index}`, kernel, clock, random, log: silentLog })
  client.bind({ namespace: 'default', path: path('/svc/web') }).watch(({ kind }) => states.push(`tree ${kind}`))
  client.replicas(path('/#/test/a')).watch(({ kind }) => states.push(`replicas ${kind}`))
  return client
}

beforeEach(async () => {
  states = []
  const first = await startServer({ clock, drainMs: 0 })
  servers = [first, await startServer({ clock, drainMs: 0, like: first })]
  first.interpreter.tree('default/svc/web').set(treeTo('/#/test/a'))
  const metadata = { text: 'x'.repeat(contentBytes) }
  const replicas = [{ address: '127.0.0.1', port: 1, weight: 1, metadata }]
  first.interpreter.set('/#/test/a').set({ kind: 'bound', endpoints: replicas })
  link = new CountingLink(servers[1].port)
  const addresses = [first.address, await link.listen()]
  clients = Array.from({ length: size }, (_, index) => connect(index, addresses))
})

afterEach(async () => {
  for (const client of clients) client.close()
  for (const server of servers) await server.close()
  link.close()
})

test('R3: whoever is asked to move stands on the other server before it leaves, and shows nothing anew', async () => {
  const [full, empty] = servers
  await pass(() => states.filter(state => state.endsWith('ok')).length === 2 * size)
  expect([full.api.streams().open, empty.api.streams().open]).toEqual([size, 0])
  const shown = states.length
  full.api.shed(size / 2)
  expect(full.api.streams()).toEqual({ open: size, leaving: size / 2 })
  await pass(() => full.api.streams().open === size / 2)
  expect([empty.api.streams().open, full.api.streams().leaving]).toEqual([size / 2, 0])
  const moved = clients.filter(client => client.counts().moves === 1)
  expect(moved).toHaveLength(size / 2)
  expect(states).toHaveLength(shown)
  expect(link.bytes).toBeGreaterThan(0)
  expect(link.bytes).toBeLessThan(contentBytes)
})
