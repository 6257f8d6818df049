import { Client, credentials } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { NamingError } from '../../../naming/errors.ts'
import { neg, union } from '../../../naming/name-tree.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'
import { startRelay } from '../../fakes/relay.fixture.ts'
import { RawStream, shortForm, startServer, type TestServer, until } from './grpc-api.fixture.ts'

describe('a Watch stream', () => {
  let server: TestServer
  let stream: RawStream

  beforeEach(async () => {
    server = await startServer()
    stream = new RawStream(server.address)
  })

  afterEach(async () => {
    stream.close()
    await server.close()
  })

  const shown = (): readonly string[] => stream.updates.map(shortForm)

  test('sends the replica sets of new leaves before their tree, each once', async () => {
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    server.interpreter.set('/#/fs/b').set(endpoints('127.0.0.1:2'))
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    stream.subscribe(['default/svc/web'])
    await stream.received(2)
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a', '/#/fs/b'))
    await stream.received(4)
    expect(shown()).toEqual(['/#/fs/a ok', '1 ok', '/#/fs/b ok', '1 ok'])
    expect(stream.updates.map(update => update.state)).toMatchObject([
      { value: endpoints('127.0.0.1:1') },
      { value: treeTo('/#/fs/a') },
      { value: endpoints('127.0.0.1:2') },
      { value: treeTo('/#/fs/a', '/#/fs/b') },
    ])
  })

  test('sends pending and failed states as such', async () => {
    server.interpreter.tree('default/bad').fail(new NamingError('unknown-namer', 'no such namer'))
    stream.subscribe(['default/cold', 'default/bad'])
    await stream.received(2)
    server.interpreter.tree('default/cold').set(neg)
    await stream.received(3)
    expect(shown()).toEqual(['1 pending', '2 failed: unknown-namer', '1 ok'])
  })

  test('sends staleness as a change of flag, without the content', async () => {
    const tree = server.interpreter.tree('default/svc/web')
    tree.set(neg)
    stream.subscribe(['default/svc/web'])
    await stream.received(1)
    tree.fail(new Error('backend away'))
    await stream.received(2)
    tree.set(neg)
    await stream.received(3)
    expect(shown()).toEqual(['1 ok', '1 same stale', '1 same'])
    expect(new Set(stream.updates.map(update => update.hash)).size).toBe(1)
    expect(stream.updates[1]?.state).toMatchObject({ stale: { reason: { message: 'backend away' } } })
  })

  test('sends no content that the client holds already, only that it stands', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    stream.subscribe(['default/svc/web'])
    await stream.received(2)
    const [replicas, tree] = stream.updates
    const second = new RawStream(server.address)
    second.send({ kind: 'subscribe-replicas', id: path('/#/fs/a'), hash: replicas?.hash ?? '' })
    second.subscribe(['default/svc/web'], tree?.hash)
    await second.received(2)
    expect(second.updates.map(shortForm)).toEqual(['/#/fs/a same', '1 same'])
    second.close()
  })

  test('sends content again that a final failure made the client drop', async () => {
    const tree = server.interpreter.tree('default/svc/web')
    tree.set(neg)
    stream.subscribe(['default/svc/web'])
    await stream.received(1)
    const other = await startServer()
    const second = new RawStream(other.address)
    for (const error of ['namer-unavailable', 'unknown-namer'] as const) {
      other.interpreter.tree(`default/${error}`).fail(new NamingError(error, 'no'))
      second.subscribe([`default/${error}`], stream.updates[0]?.hash)
    }
    await second.received(2)
    for (const error of ['namer-unavailable', 'unknown-namer']) other.interpreter.tree(`default/${error}`).set(neg)
    await second.received(4)
    expect(second.updates.slice(2).map(shortForm).sort()).toEqual(['1 same', '2 ok'])
    second.close()
    await other.close()
  })

  test('never confirms a tree that was too deep to be sent', async () => {
    let deep: BoundTree = neg
    for (let depth = 0; depth < 1_000; depth++)
      deep = union([
        { weight: 1, tree: deep },
        { weight: 1, tree: neg },
      ])
    const tree = server.interpreter.tree('default/svc/web')
    tree.set(deep)
    stream.subscribe(['default/svc/web'])
    await stream.received(1)
    tree.fail(new Error('backend away'))
    await stream.received(2)
    expect(shown()).toEqual(['1 failed: name-too-deep', '1 failed: name-too-deep'])
  })

  test('trusts the hash of a subscription only when it is of what this stream has sent last', async () => {
    const set = server.interpreter.set('/#/fs/a')
    const id = path('/#/fs/a')
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    set.set(endpoints('127.0.0.1:1'))
    stream.subscribe(['default/svc/web'])
    await stream.received(2)
    const first = stream.updates[0]?.hash ?? ''
    stream.send({ kind: 'subscribe-replicas', id, hash: first })
    stream.send({ kind: 'unsubscribe-replicas', id })
    set.set(endpoints('127.0.0.1:2'))
    await stream.received(3)
    // Sent by a client that has not seen the second set yet, and read once the first is the newest again.
    stream.send({ kind: 'subscribe-replicas', id, hash: first })
    set.set(endpoints('127.0.0.1:1'))
    await stream.received(4)
    expect(shown()).toEqual(['/#/fs/a ok', '1 ok', '/#/fs/a ok', '/#/fs/a ok'])
  })

  test('gives equal content the same hash on another server', async () => {
    const other = await startServer()
    const elsewhere = new RawStream(other.address)
    for (const { interpreter } of [server, other]) interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    stream.subscribe(['default/svc/web'])
    elsewhere.subscribe(['default/svc/web'])
    await Promise.all([stream.received(2), elsewhere.received(2)])
    expect(elsewhere.updates[1]?.hash).toBe(stream.updates[1]?.hash)
    expect(stream.updates[1]?.hash).toHaveLength(8)
    elsewhere.close()
    await other.close()
  })

  test('answers a name that cannot be evaluated with its failure and goes on', async () => {
    const name = { namespace: 'default', path: path('/svc/web'), dtab: '' }
    server.interpreter.tree('default/svc/web').set(neg)
    stream.send(
      { kind: 'subscribe', key: 7, name: { ...name, namespace: 'no spaces' }, hash: '' },
      { kind: 'subscribe', key: 8, name: { ...name, path: ['svc', ''] }, hash: '' },
      { kind: 'subscribe', key: 9, name: { ...name, dtab: '/svc => ' }, hash: '' },
      { kind: 'subscribe-replicas', id: [''], hash: '' },
      { kind: 'subscribe', key: 10, name, hash: '' },
    )
    await stream.received(5)
    expect(shown()).toEqual([
      '7 failed: bad-namespace',
      '8 failed: bad-path',
      '9 failed: bad-dtab',
      '/ failed: bad-path',
      '10 ok',
    ])
    expect(server.api.counts()).toMatchObject({ subscriptions: 1 })
  })

  test('ends a stream whose bytes do not decode with INVALID_ARGUMENT', async () => {
    const garbled = [Buffer.from([0x2a, 0x7f, 0x01]), Buffer.from([84]), Buffer.from([0x2a, 0x02, 0x12, 0x54])]
    for (const bytes of garbled) {
      const other = new RawStream(server.address)
      other.sendBytes(bytes)
      await expect(other.ended).resolves.toMatchObject({ code: 3, details: expect.stringContaining('does not decode') })
      other.close()
    }
    await until(() => server.api.counts().streams === 1)
  })

  test('refuses what exceeds the limits by name and leaves the rest alone', async () => {
    const small = await startServer({ limits: { perStream: 2, perServer: 3 } })
    const first = new RawStream(small.address)
    const second = new RawStream(small.address)
    first.subscribe(['default/a', 'default/b', 'default/c'])
    await first.received(3)
    second.subscribe(['default/a', 'default/d'])
    await second.received(2)
    expect(first.updates.map(shortForm)).toEqual(['1 pending', '2 pending', '3 failed: resource-exhausted'])
    expect(second.updates.map(shortForm)).toEqual(['1 pending', '2 failed: resource-exhausted'])
    first.send({ kind: 'unsubscribe', keys: [1] })
    first.subscribe(['default/e'])
    await first.received(4)
    expect(shortForm(first.updates[3] ?? fail())).toBe('4 pending')
    first.close()
    second.close()
    await small.close()
  })

  test('closes everything upstream when names are unsubscribed, and when the stream ends', async () => {
    const base = server.kernel.counts().watchers
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a', '/#/fs/b'))
    server.interpreter.tree('default/svc/api').set(treeTo('/#/fs/a'))
    const keys = stream.subscribe(['default/svc/web', 'default/svc/api'])
    stream.send({ kind: 'subscribe-replicas', id: path('/#/fs/b'), hash: '' })
    await stream.received(4)
    expect(server.kernel.counts().watchers).toBe(base + 4)
    stream.send({ kind: 'unsubscribe', keys: keys.slice(0, 1) })
    await until(() => server.kernel.counts().watchers === base + 3)
    stream.send({ kind: 'unsubscribe-replicas', id: path('/#/fs/b') })
    await until(() => server.kernel.counts().watchers === base + 2)
    stream.cancel()
    await until(() => server.kernel.counts().watchers === base)
    expect(server.api.counts()).toEqual({ streams: 0, subscriptions: 0 })
  })

  test('follows the replica sets of the present tree only', async () => {
    const tree = server.interpreter.tree('default/svc/web')
    for (const id of ['/#/fs/a', '/#/fs/b', '/#/fs/c']) server.interpreter.set(id).set(endpoints('127.0.0.1:1'))
    tree.set(treeTo('/#/fs/a', '/#/fs/b'))
    stream.subscribe(['default/svc/web'])
    await stream.received(3)
    tree.set(treeTo('/#/fs/b', '/#/fs/c'))
    await stream.received(5)
    expect(server.kernel.counts().watchers).toBe(3)
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:2'))
    server.interpreter.set('/#/fs/b').set(endpoints('127.0.0.1:2'))
    await stream.received(6)
    tree.set(neg)
    await stream.received(7)
    expect(shown().slice(3)).toEqual(['/#/fs/c ok', '1 ok', '/#/fs/b ok', '1 ok'])
    expect(server.kernel.counts().watchers).toBe(1)
  })

  test('answers the end of requests by ending the stream', async () => {
    stream.subscribe(['default/svc/web'])
    await stream.received(1)
    stream.halfClose()
    await expect(stream.ended).resolves.toMatchObject({ code: 0 })
    await until(() => server.kernel.counts().watchers === 0)
  })

  test('holds the newest state per name for a reader that has stopped, in at most a few messages', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `default/svc/${i}`)
    const ids = Array.from({ length: 20 }, (_, i) => `/#/fs/${'x'.repeat(200)}/${i}`)
    for (const name of names) server.interpreter.tree(name).set(neg)
    stream.subscribe(names)
    await stream.received(200)
    stream.pause()
    const before = await sentMessages(server)
    const rounds = 30
    for (let round = 0; round < rounds; round++) {
      const deliveries = server.kernel.counts().deliveries
      for (const name of names) server.interpreter.tree(name).set(treeTo(`${ids[round % 20]}/${round}`))
      await until(() => server.kernel.counts().deliveries >= deliveries + 200)
    }
    expect((await sentMessages(server)) - before).toBeLessThan(25)
    const last = treeTo(`${ids[(rounds - 1) % 20]}/${rounds - 1}`)
    stream.resume()
    const newest = new Map<number, unknown>()
    await until(() => {
      for (const update of stream.updates) if (update.kind === 'tree') newest.set(update.key, update.state)
      return [...newest.values()].every(state => JSON.stringify(state).includes(`"${rounds - 1}"`))
    })
    expect(newest.size).toBe(200)
    expect([...newest.values()][0]).toMatchObject({ kind: 'ok', value: last })
    expect(stream.updates.length).toBeLessThan(200 * (rounds / 2))
  })

  test('puts many updates in one message and cuts it at its budget', async () => {
    const names = Array.from({ length: 1000 }, (_, i) => `default/svc/${i}`)
    for (const [i, name] of names.entries()) server.interpreter.tree(name).set(treeTo(`/#/fs/${'y'.repeat(100)}/${i}`))
    stream.subscribe(names)
    await stream.received(2000)
    expect(stream.messages.length).toBeLessThan(14)
    expect(Math.max(...stream.messages.map(message => message.bytes))).toBeLessThan(70_000)
  })

  test('reads one request of very many names in pieces, other streams being served in between', async () => {
    const other = new RawStream(server.address)
    server.interpreter.tree('default/other').set(neg)
    const names = Array.from({ length: 20_000 }, (_, i) => `default/${i}`)
    await Promise.all([other.opened(), stream.opened()])
    stream.subscribe(names)
    await until(() => server.api.counts().subscriptions > 0)
    const atOnce = server.api.counts().subscriptions
    other.subscribe(['default/other'])
    await other.received(1)
    const meanwhile = server.api.counts().subscriptions
    expect(atOnce).toBeLessThan(names.length / 2)
    expect(meanwhile).toBeLessThan(names.length)
    await stream.received(names.length)
    other.close()
  })

  test('frees a stream whose peer is gone without a word', async () => {
    const watchful = await startServer({ keepaliveMs: 30, keepaliveTimeoutMs: 1000 })
    const relay = await startRelay(watchful.port)
    const lost = new RawStream(relay.address)
    lost.subscribe(['default/svc/web'])
    await lost.received(1)
    expect(watchful.kernel.counts().watchers).toBe(1)
    relay.freeze()
    await until(() => watchful.kernel.counts().watchers === 0)
    expect(watchful.api.counts()).toEqual({ streams: 0, subscriptions: 0 })
    lost.close()
    relay.close()
    await watchful.close()
  })

  test('returns to nothing after very many streams that came and went', async () => {
    const client = new Client(server.address, credentials.createInsecure())
    for (let round = 0; round < 5; round++) {
      const streams = Array.from({ length: 50 }, () => new RawStream(server.address, client))
      for (const [i, each] of streams.entries()) if (i % 5 > 0) each.subscribe([`default/${i}`, `default/${round}`])
      await Promise.all(streams.filter((_, i) => i % 5 > 2).map(each => each.received(1)))
      for (const each of streams) each.cancel()
    }
    await until(() => server.api.counts().streams === 1 && server.kernel.counts().watchers === 0)
    expect(server.api.counts()).toEqual({ streams: 1, subscriptions: 0 })
    client.close()
  })
})

function fail(): never {
  throw new Error('there is no such update')
}

async function sentMessages(server: TestServer): Promise<number> {
  const { body } = await server.metrics.expose()
  return Number(/^nameplane_push_messages_total (\d+)/m.exec(body)?.[1])
}
