import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { CountingStream } from './counting-stream.fixture.ts'
import { RawStream, startServer, type TestServer, until } from './grpc-api.fixture.ts'

/** About 40 bytes each on the wire. */
function manyEndpoints(count: number, port: number): ReplicaSet {
  return endpoints(...Array.from({ length: count }, (_, i) => `10.0.${i >> 8}.${i & 255}:${port}`))
}

describe('a Watch stream whose client counts', () => {
  let clock: SocketClock
  let server: TestServer
  let stream: CountingStream

  beforeEach(async () => {
    clock = new SocketClock()
    server = await startServer({ clock })
    stream = new CountingStream(server.address)
    for (const id of ['/#/fs/a', '/#/fs/b']) server.interpreter.set(id).set(endpoints('127.0.0.1:1'))
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/a'))
    server.interpreter.tree('default/svc/b').set(treeTo('/#/fs/b'))
  })

  afterEach(async () => {
    stream.close()
    await server.close()
  })

  async function metric(name: string): Promise<number> {
    const { body } = await server.metrics.expose()
    return Number(new RegExp(`^nameplane_${name} (\\S+)`, 'm').exec(body)?.[1])
  }

  async function turns(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  }

  test('numbers its messages, and counts how long each took from the change to the word that it is in use', async () => {
    stream.subscribe('/svc/a')
    await until(() => stream.told.size === 2)
    await turns()
    stream.confirms = false
    const before = await metric('push_lag_seconds_count')
    server.interpreter.tree('default/svc/a').set(treeTo('/#/fs/b'))
    await until(() => stream.told.size === 3)
    expect(stream.messages.map(({ sequence }) => sequence)).toEqual(stream.messages.map((_, i) => i + 1))
    clock.pass(300)
    const seconds = await metric('push_lag_seconds_sum')
    stream.confirm()
    await turns()
    expect(await metric('push_lag_seconds_count')).toBe(before + 1)
    expect(await metric('push_lag_seconds_sum')).toBeCloseTo(seconds + 0.3)
  })

  test('sends a state that was refused no more, until there was another', async () => {
    stream.subscribe('/svc/a')
    await until(() => stream.told.size === 2)
    const { hash = '' } = stream.told.get('1') ?? {}
    stream.send({ kind: 'refused', resource: 1, hash, reason: 'no such node' })
    await turns()
    const tree = server.interpreter.tree('default/svc/a')
    tree.fail(new Error('backend away'))
    await turns()
    expect(stream.told.get('1')?.isStale).toBe(false)
    tree.set(treeTo('/#/fs/b'))
    await until(() => stream.told.get('1')?.hash !== hash)
    tree.set(treeTo('/#/fs/a'))
    await until(() => stream.told.get('1')?.hash === hash)
  })

  test('sends a large set in pieces, others between them, with the last the tree that needs it, then what is newer', async () => {
    stream.subscribe('/svc/b')
    await until(() => stream.told.size === 2)
    const set = server.interpreter.set('/#/fs/a')
    set.set(manyEndpoints(10_000, 1))
    const known = stream.messages.length
    stream.subscribe('/svc/a')
    await until(() => stream.messages.some(({ piece }) => piece?.begins === true))
    server.interpreter.set('/#/fs/b').set(endpoints('127.0.0.1:2'))
    set.set(endpoints('127.0.0.1:7'))
    await until(() => stream.told.has('2'))
    const messages = stream.messages.slice(known)
    const whole = messages.findIndex(({ piece }) => piece?.ends === true)
    const other = messages.findIndex(({ updates }) => updates.some(update => update.kind === 'replicas'))
    expect(Math.max(...messages.map(({ bytes }) => bytes))).toBeLessThan(65_536)
    expect(messages[whole]?.updates.map(({ kind }) => kind)).toContain('tree')
    expect(whole).toBeGreaterThan(3)
    expect(other).toBeLessThan(whole)
    const hasNewest = (): boolean => JSON.stringify(stream.state('/#/fs/a')).includes('"port":7,')
    await until(hasNewest)
    await turns()
    expect(hasNewest()).toBe(true)
    expect(await metric('watch_digest_mismatches_total')).toBe(0)
  })

  test('begins with a large set at once when there is nothing else to send', async () => {
    const set = server.interpreter.set('/#/fs/a')
    set.set(endpoints('127.0.0.1:1'))
    stream.subscribe('/svc/a')
    await until(() => stream.told.size === 2)
    await turns()
    set.set(manyEndpoints(10_000, 2))
    await until(() => JSON.stringify(stream.state('/#/fs/a')).includes(':2,'))
  })

  test('gives up a large set that nobody wants any more in the midst of its pieces', async () => {
    server.interpreter.set('/#/fs/a').set(manyEndpoints(10_000, 1))
    const [key = 0] = stream.subscribe('/svc/a')
    await until(() => stream.messages.some(({ piece }) => piece?.begins === true))
    stream.unsubscribe(key)
    stream.subscribe('/svc/b')
    await until(() => stream.state(2)?.kind === 'ok')
    await until(() => server.kernel.counts().watchers === 2)
    expect(stream.messages.some(({ piece }) => piece?.ends === true)).toBe(false)
  })

  test('asks nothing of a client that does not count, and sends it a large set as one', async () => {
    const old = new RawStream(server.address)
    server.interpreter.set('/#/fs/a').set(manyEndpoints(10_000, 1))
    old.subscribe(['default/svc/a'])
    await old.received(2)
    clock.advance(60_000)
    await turns()
    expect(old.messages.filter(({ updates }) => updates === 0)).toEqual([])
    expect(old.updates[0]).toMatchObject({ kind: 'replicas', id: path('/#/fs/a') })
    old.close()
  })
})
