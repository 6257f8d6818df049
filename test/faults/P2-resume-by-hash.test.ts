import { expect, it } from 'vitest'
import type { WireHash } from '../../proto/updates.ts'
import { RawStream, startServer, type TestServer, until } from '../api/grpc/grpc-api.fixture.ts'
import { endpoints, path, treeTo } from '../fakes/interpreter.fake.ts'
import { seededRandom } from '../proxy-client/seeded-random.fixture.ts'

const names = ['/svc/a', '/svc/b', '/svc/c']
const restarts = 8

/** What a proxy has of a name: content, and its hash. */
interface Held {
  readonly hash: WireHash
  readonly port: number
}

function portOf(value: unknown): number {
  return Number(/"port":(\d+)/.exec(JSON.stringify(value))?.[1])
}

/** One stream to a new server that takes up where the last one ended; gives what the proxy has then. */
async function resume(server: TestServer, held: ReadonlyMap<string, Held>): Promise<Map<string, Held>> {
  const stream = new RawStream(server.address)
  for (const name of names)
    stream.send({ kind: 'subscribe-replicas', id: path(`/#/fs${name}`), hash: held.get(name)?.hash ?? '' })
  await until(() => stream.updates.length === names.length)
  stream.close()
  const after = new Map<string, Held>()
  for (const update of stream.updates) {
    if (update.kind !== 'replicas') throw new Error('a tree that nobody has asked for')
    const name = `/${update.id.slice(2).join('/')}`
    const before = held.get(name)
    const { hash, state } = update
    if (state.kind === 'same') {
      expect(hash).toBe(before?.hash)
      after.set(name, { hash, port: before?.port ?? 0 })
    } else {
      expect(hash).not.toBe(before?.hash)
      after.set(name, { hash, port: state.kind === 'ok' ? portOf(state.value) : 0 })
    }
  }
  return after
}

it('P2: over servers that restart and take turns, with states that changed meanwhile or not, a proxy has what the last one has', async () => {
  const random = seededRandom(2)
  const ports = new Map(names.map(name => [name, 1]))
  let held = new Map<string, Held>()
  for (let restart = 0; restart < restarts; restart++) {
    // Few values, so that a state comes back that some server had before, under whatever number.
    for (const name of names) if (random() < 0.4) ports.set(name, 1 + Math.floor(random() * 3))
    const server = await startServer({ drainMs: 0 })
    for (const [name, port] of ports) {
      server.interpreter.tree(`default${name}`).set(treeTo(`/#/fs${name}`))
      // Each server has counted to somewhere else.
      for (let change = 0; change < restart % 3; change++)
        server.interpreter.set(`/#/fs${name}`).set(endpoints(`127.0.0.1:${100 + change}`))
      server.interpreter.set(`/#/fs${name}`).set(endpoints(`127.0.0.1:${port}`))
    }
    held = await resume(server, held)
    expect(new Map([...held].map(([name, { port }]) => [name, port]))).toEqual(ports)
    await server.close()
    server.kernel.close()
  }
})
