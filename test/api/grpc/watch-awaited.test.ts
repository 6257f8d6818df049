// In a thread the first state of a set may come later than the tree that leads to it.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Path, showPath } from '../../../naming/path.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import type { Mirror } from '../../../watch/cell.ts'
import { ok, pending } from '../../../watch/state.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'
import { CountingStream } from './counting-stream.fixture.ts'
import { startServer, type TestServer, until } from './grpc-api.fixture.ts'

describe('a tree whose set is on its way to this thread', () => {
  let server: TestServer
  let stream: CountingStream
  let mirrors: Map<string, Mirror<ReplicaSet>>

  const mirror = (id: Path): Mirror<ReplicaSet> => {
    const known = mirrors.get(showPath(id))
    if (known !== undefined) return known
    const made = server.kernel.mirror<ReplicaSet>(showPath(id), { opened: () => {}, closed: () => {} })
    mirrors.set(showPath(id), made)
    return made
  }
  const show = (id: string): void => mirror(path(id)).show(ok(endpoints('127.0.0.1:1')))

  beforeEach(async () => {
    server = await startServer()
    mirrors = new Map()
    vi.spyOn(server.interpreter, 'replicas').mockImplementation(mirror)
    stream = new CountingStream(server.address)
    server.interpreter.goBy('default', 1)
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/a', '/#/fs/b'))
    stream.confirms = false // it does not know of sets that stand before their tree
    stream.subscribe('/svc/a')
    await until(() => mirrors.size === 2)
    show('/#/fs/a')
    await until(() => stream.told.has('/#/fs/a'))
    await turns()
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    stream.close()
    await server.close()
  })

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  const sent = (): readonly string[] =>
    stream.messages.flatMap(({ updates }) => updates.map(each => (each.kind === 'tree' ? 'tree' : showPath(each.id))))

  test('follows it on the wire, and is unsettled until then', async () => {
    expect(sent()).toEqual(['/#/fs/a'])
    expect(server.proxies.behindCounts()).toEqual([['default', 1]])
    show('/#/fs/b')
    await until(() => stream.told.has('1'))
    expect(sent()).toEqual(['/#/fs/a', '/#/fs/b', 'tree'])
    stream.confirm()
    await until(() => server.proxies.behindCounts()[0]?.[1] === 0)
  })

  test('goes out when all that is known of the set is that it is pending', async () => {
    mirror(path('/#/fs/b')).show(pending)
    await until(() => stream.told.has('1'))
    expect(sent()).toEqual(['/#/fs/a', '/#/fs/b', 'tree'])
  })

  test('is not waited for when there is a newer one that needs no such set', async () => {
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/a'))
    await until(() => stream.told.has('1'))
    expect(sent()).toEqual(['/#/fs/a', 'tree'])
    stream.confirm()
    await until(() => server.proxies.behindCounts()[0]?.[1] === 0)
  })
})
