// What a Watch stream has not settled yet, in the cases where something else than a confirmation ends the matter.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { NamespaceUses } from '../../../api/grpc/namespace-uses.ts'
import { NameEntry } from '../../../api/grpc/watch-entries.ts'
import { Admission } from '../../../api/push/admission.ts'
import type { ProxyRecord } from '../../../api/push/proxy-registry.ts'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { alt, neg } from '../../../naming/name-tree.ts'
import { ok } from '../../../watch/state.ts'
import { endpoints, treeTo } from '../../fakes/interpreter.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { WordMail } from '../push/entries.fixture.ts'
import { CountingStream } from './counting-stream.fixture.ts'
import { startServer, type TestServer, testKernel, until } from './grpc-api.fixture.ts'

/** Of so many alternatives within each other. */
function deepTree(levels: number, within: BoundTree): BoundTree {
  return levels === 0 ? within : alt([neg, deepTree(levels - 1, within)])
}

describe('a Watch stream', () => {
  let clock: SocketClock
  let server: TestServer
  let stream: CountingStream

  beforeEach(async () => {
    clock = new SocketClock()
    server = await startServer({ clock })
    stream = new CountingStream(server.address)
    server.interpreter.goBy('default', 1)
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/a'))
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    stream.close()
    await server.close()
  })

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  async function seconds(count: number): Promise<void> {
    for (let second = 0; second < count; second++) {
      clock.advance(1_000)
      await turns()
    }
  }

  test('that gives up a name in the midst of its pieces has nothing unsettled of it', async () => {
    const leaves = Array.from({ length: 8_000 }, () => treeTo('/#/fs/a'))
    server.interpreter.tree('default/svc/large').set(alt(leaves))
    stream.subscribe('/svc/a')
    await until(() => stream.told.size === 2)
    const [key = 0] = stream.subscribe('/svc/large')
    await until(() => stream.messages.some(({ piece }) => piece?.begins === true))
    stream.unsubscribe(key)
    await until(() => server.api.counts().subscriptions === 1)
    await turns()
    expect(stream.messages.some(({ piece }) => piece?.ends === true)).toBe(false)
    expect(server.proxies.behindCounts()).toEqual([['default', 0]])
  })

  test('is not sent the leaves of a tree that is too deep to be sent', async () => {
    server.interpreter.tree('default/svc/deep').set(deepTree(32, treeTo('/#/fs/b')))
    stream.subscribe('/svc/a', '/svc/deep')
    await until(() => stream.told.size >= 3)
    await turns()
    expect(stream.state(2)?.kind).toBe('failed')
    expect(server.kernel.counts().watchers).toBe(3) // of two names and one set
    server.interpreter.tree('default/svc/a').set(deepTree(32, treeTo('/#/fs/a')))
    await until(() => stream.state(1)?.kind === 'failed')
    await turns()
    expect(server.kernel.counts().watchers).toBe(2)
  })

  test('that stands in line is asked nothing, for its answers are not read', async () => {
    vi.spyOn(Admission.prototype, 'enter').mockReturnValue({ leave: () => {} })
    stream.subscribe('/svc/a')
    await seconds(60)
    expect([stream.ended, stream.messages]).toEqual([undefined, []])
  })
})

test('a name is unsettled from its subscription on, also while its first state is on its way to this thread', () => {
  const changes: number[] = []
  const progress = { addNames: () => {}, addUnsettled: (change: number) => void changes.push(change) }
  const uses = new NamespaceUses({ namespace: () => progress } as unknown as ProxyRecord) // of which it needs no more
  const { mailbox } = new WordMail()
  const kernel = testKernel()
  const mirror = kernel.mirror<BoundTree>('a', { opened: () => {}, closed: () => {} })
  const entry = new NameEntry(mailbox, { key: 1, use: uses.at('default'), held: '' })
  entry.open(mirror)
  expect([mailbox.size, changes]).toEqual([0, [1]])
  mirror.show(ok(treeTo('/#/fs/a')))
  entry.close()
  expect(changes).toEqual([1, -1])
  const other = new NameEntry(mailbox, { key: 2, use: uses.at('default'), held: '' })
  other.open(kernel.mirror<BoundTree>('b', { opened: () => {}, closed: () => {} }))
  other.close()
  expect(changes).toEqual([1, -1, 1, -1])
})
