import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fail } from '../../../naming/name-tree.ts'
import { pendingOn } from '../../../watch/state.ts'
import { endpoints, treeTo } from '../../fakes/interpreter.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { CountingStream } from './counting-stream.fixture.ts'
import { startServer, type TestServer, until } from './grpc-api.fixture.ts'

describe('a proxy that goes on with an old tree, since the newest waits for a backend', () => {
  let clock: SocketClock
  let server: TestServer
  let stream: CountingStream

  beforeEach(async () => {
    clock = new SocketClock()
    server = await startServer({ clock })
    stream = new CountingStream(server.address)
    for (const id of ['/#/fs/a', '/#/fs/b']) server.interpreter.set(id).set(endpoints('127.0.0.1:1'))
    // `fail` stands for a name whose backend has not answered.
    const tree = server.interpreter.tree('default/svc/a')
    const cell = server.kernel.derive('tree', read => {
      const state = read(tree)
      return state.kind === 'ok' && state.value === fail ? pendingOn('/#/fs/b') : state
    })
    server.interpreter.bind = () => cell
    tree.set(treeTo('/#/fs/a'))
    server.interpreter.goBy('default', 1)
    stream.subscribe('/svc/a')
    await until(() => stream.told.size === 2)
    await turns()
    server.interpreter.goBy('default', 2)
    tree.set(fail)
    await until(() => stream.state(1)?.kind === 'pending')
    await turns()
  })

  afterEach(async () => {
    stream.close()
    await server.close()
  })

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  function shown(): unknown {
    const [proxy] = server.proxies.pageNow({ limit: 1 }).proxies
    const [told] = proxy?.namespaces ?? []
    return told && [told.version, told.newest, told.behindSince !== undefined]
  }

  test('has not applied the version, also when it confirms all that it was told', async () => {
    expect(shown()).toEqual([1, 2, true])
    for (let second = 0; second < 12; second++) {
      clock.advance(1_000)
      await turns()
    }
    expect(shown()).toEqual([1, 2, true])
  })

  test('has applied it when it has the new tree', async () => {
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/b'))
    await until(() => stream.state(1)?.kind === 'ok')
    await turns()
    expect(shown()).toEqual([2, 2, false])
  })

  test('owes nothing any more when it gives the name up', async () => {
    const [key = 0] = stream.keys.keys()
    stream.subscribe('/svc/a')
    stream.unsubscribe(key)
    await turns()
    expect(shown()).toEqual([2, 2, false])
  })
})
