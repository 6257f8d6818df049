import { Metadata, status } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { NamingError } from '../../../naming/errors.ts'
import { alt, empty, fail, neg, union } from '../../../naming/name-tree.ts'
import type { ReplicaSet } from '../../../naming/replica-set.ts'
import { createMeshClient, type MeshClient } from '../../../proxy-client/mesh/mesh-client.ts'
import type { MeshConnectionOptions } from '../../../proxy-client/mesh/mesh-connection.ts'
import { silentLog } from '../../../runtime/log.ts'
import type { Cell, Kernel } from '../../../watch/cell.ts'
import { failed, ok, pending, type State } from '../../../watch/state.ts'
import { testKernel } from '../../api/grpc/grpc-api.fixture.ts'
import { FakeMeshServer } from '../../fakes/mesh-server.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'
import { endpointAt, leafOf, pathOf } from '../naming.fake.ts'

let server: FakeMeshServer
let kernel: Kernel
let clock: SocketClock
let client: MeshClient

function connect(addresses: readonly string[], options: Partial<MeshConnectionOptions> = {}): MeshClient {
  return createMeshClient({
    addresses,
    kernel,
    clock,
    random: () => 0.5,
    log: silentLog,
    retry: { minMs: 1_000, maxMs: 600_000 },
    failureThreshold: { minPeriodMs: 5_000, closeTimeoutMs: 4_000 },
    windowBytes: 1 << 20,
    ...options,
  })
}

beforeEach(async () => {
  server = await FakeMeshServer.start()
  clock = new SocketClock()
  kernel = testKernel()
  client = connect([server.address])
})

afterEach(() => {
  client.close()
  kernel.close()
  server.stop()
  expect(clock.waiting).toBe(0)
})

const web = { namespace: 'default', path: pathOf('/svc/web') }
const a = '/#/io.l5d.fs/a'
const b = '/#/io.l5d.fs/b'
const bound = (...ports: number[]): State<ReplicaSet> => ok({ kind: 'bound', endpoints: ports.map(p => endpointAt(p)) })

/** The newest state of a cell, for as long as the test lasts. */
function watch<T>(cell: Cell<T>): () => State<T> {
  let newest: State<T> = pending
  cell.watch(state => {
    newest = state
  })
  return () => newest
}

/** Why there is no good answer now, or none that is confirmed. */
function trouble(state: State<unknown>): string | undefined {
  return state.kind === 'failed' ? state.error.message : state.kind === 'ok' ? state.stale?.reason.message : undefined
}

const heldBy = <T>(state: State<T>): T | undefined => (state.kind === 'ok' ? state.value : undefined)

const connected = (): Promise<void> => expect.poll(() => client.counts().connections).toBe(1)

/** Watches the name and waits until it is bound to `id`. */
async function bindTo(id: string): Promise<() => State<BoundTree>> {
  server.tell('/svc/web', leafOf(id))
  server.tellReplicas(id, bound(1))
  const tree = watch(client.bind(web))
  await expect.poll(tree).toEqual(ok(leafOf(id)))
  await expect.poll(() => server.open).toEqual([id, '/default /svc/web'])
  return tree
}

describe('a client of the mesh protocol', () => {
  it('has a stream for each name and each leaf, with the rules of a request, and none for what is watched no more', async () => {
    server.tell('/svc/web', leafOf(a))
    server.tell('/svc/web /svc/web => /svc/other', leafOf(a))
    const local = { ...web, dtab: '/svc/web=>/svc/other;' }
    const end = client.bind(web).watch(() => {})
    const endAgain = client.bind(web).watch(() => {})
    const endLocal = client.bind(local).watch(() => {})
    const withLocal = '/default /svc/web /svc/web => /svc/other'
    await expect.poll(() => server.open).toEqual([a, '/default /svc/web', withLocal])
    expect(client.counts()).toEqual({ connections: 1, messagesReceived: 2, names: 2, replicas: 1, streams: 3 })
    end()
    endAgain()
    await expect.poll(() => server.open).toEqual([a, withLocal])
    endLocal()
    await expect.poll(() => server.open).toEqual([])
    expect(server.asked).toHaveLength(3)
    expect(client.counts()).toMatchObject({ names: 0, replicas: 0, streams: 0 })
  })

  it('takes every kind of tree, and one without a node as neg', async () => {
    const tree = watch(client.bind(web))
    await connected()
    const trees = [neg, fail, empty, alt([leafOf(a), neg]), union([{ weight: 0.9, tree: leafOf(a, '/rest') }])]
    for (const each of trees) {
      server.tell('/svc/web', each)
      server.tellReplicas(a, bound(1))
      await expect.poll(tree).toEqual(ok(each))
    }
    server.send('/default /svc/web', Buffer.alloc(0))
    await expect.poll(tree).toEqual(ok(neg))
  })

  it('takes replica sets with weights; neg is not the same as empty; a failure keeps the last good set', async () => {
    const set = watch(client.replicas(pathOf(a)))
    await expect.poll(() => server.open).toEqual([a])
    server.tellReplicas(a, pending)
    server.tellReplicas(a, failed(new NamingError('internal', 'no such file')))
    await expect.poll(() => trouble(set())).toBe('no such file')
    expect(set().kind).toBe('failed')
    const weighted: ReplicaSet = {
      kind: 'bound',
      endpoints: [endpointAt(1, 2.5), { address: '::1', port: 2, weight: 1 }],
    }
    server.tellReplicas(a, ok(weighted))
    await expect.poll(set).toEqual(ok(weighted))
    const before = heldBy(set())
    server.tellReplicas(a, ok(weighted))
    server.tellReplicas(a, failed(new NamingError('internal', 'gone')))
    await expect.poll(() => trouble(set())).toBe('gone')
    expect(heldBy(set())).toBe(before)
    server.tellReplicas(a, bound())
    await expect.poll(set).toEqual(bound())
    server.tellReplicas(a, ok({ kind: 'neg' }))
    await expect.poll(set).toEqual(ok({ kind: 'neg' }))
    server.send(a, Buffer.alloc(0))
    await expect.poll(() => client.counts().messagesReceived).toBe(8)
    expect(set()).toEqual(ok({ kind: 'neg' }))
  })

  it('keeps a tree until the leaves of the next are known, and takes an equal one for the same', async () => {
    const tree = await bindTo(a)
    const before = tree()
    server.tell('/svc/web', leafOf(a))
    server.tell('/svc/web', leafOf(b))
    await expect.poll(() => server.open).toEqual([a, b, '/default /svc/web'])
    expect(tree()).toBe(before)
    server.tellReplicas(b, bound(2))
    await expect.poll(tree).toEqual(ok(leafOf(b)))
    await expect.poll(() => server.open).toEqual([b, '/default /svc/web'])
  })

  it('waits for leaves five seconds at most', async () => {
    const tree = await bindTo(a)
    server.tell('/svc/web', leafOf(b))
    await expect.poll(() => server.open).toContain(b)
    clock.advance(4_999)
    expect(tree()).toEqual(ok(leafOf(a)))
    clock.advance(1)
    await expect.poll(tree).toEqual(ok(leafOf(b)))
  })

  it('keeps what it has, stale, when its stream ends or fails, and opens it again after a wait that doubles', async () => {
    const tree = await bindTo(a)
    server.forget('/default /svc/web')
    const ends = [
      [undefined, 'OK', 1_500],
      [status.INTERNAL, 'too deep', 3_000],
      [undefined, 'OK', 6_000],
    ] as const
    for (const [code, words, waitMs] of ends) {
      server.end('/default /svc/web', code, words)
      await expect.poll(() => trouble(tree())).toBe(`The naming server has ended the stream: ${words}.`)
      expect(heldBy(tree())).toEqual(leafOf(a))
      const { length } = server.asked
      clock.advance(waitMs - 1)
      expect(server.asked).toHaveLength(length)
      clock.advance(1)
      await expect.poll(() => server.open).toEqual([a, '/default /svc/web'])
    }
    server.tell('/svc/web', leafOf(a))
    await expect.poll(tree).toEqual(ok(leafOf(a)))
    server.end('/default /svc/web')
    await expect.poll(() => trouble(tree())).toContain('has ended')
    clock.advance(1_500)
    await expect.poll(tree).toEqual(ok(leafOf(a)))
  })

  it('says why a name cannot be bound when there was never a tree, and tries again', async () => {
    const tree = watch(client.bind(web))
    await expect.poll(() => server.open).toEqual(['/default /svc/web'])
    server.end('/default /svc/web', status.INTERNAL, 'Max recursion level: 100 reached')
    await expect
      .poll(tree)
      .toMatchObject({ kind: 'failed', error: { message: /: Max recursion level: 100 reached\.$/ } })
    server.tell('/svc/web', leafOf(a))
    clock.advance(1_500)
    await expect.poll(tree).toEqual(ok(leafOf(a)))
  })

  it('comes back to a server with too many newcomers when that asks it to', async () => {
    watch(client.bind(web))
    await expect.poll(() => server.open).toEqual(['/default /svc/web'])
    const metadata = new Metadata()
    metadata.set('grpc-retry-pushback-ms', '10000')
    server.end('/default /svc/web', status.UNAVAILABLE, 'too many', metadata)
    await expect.poll(() => client.counts().streams).toBe(0)
    clock.advance(11_499)
    expect(client.counts().streams).toBe(0)
    clock.advance(1)
    expect(client.counts().streams).toBe(1)
  })

  it('ends a stream that brings what cannot be read, and keeps what it has', async () => {
    const tree = await bindTo(a)
    server.send('/default /svc/web', Buffer.from([0x0a, 0x7f, 0x01]))
    await expect.poll(() => trouble(tree())).toContain('cannot be read')
    expect(heldBy(tree())).toEqual(leafOf(a))
    server.tell('/svc/web', leafOf(a))
    clock.advance(1_500)
    await expect.poll(tree).toEqual(ok(leafOf(a)))
  })

  it('keeps everything, stale, when its server is gone, finds the other at once and asks it for the same', async () => {
    const other = await FakeMeshServer.start()
    client.close()
    client = connect([server.address, other.address])
    const tree = await bindTo(a)
    const set = watch(client.replicas(pathOf(a)))
    await expect.poll(set).toEqual(bound(1))
    server.stop()
    await expect.poll(() => trouble(tree())).toContain('has ended')
    await expect.poll(() => trouble(set())).toContain('has ended')
    expect([heldBy(tree()), heldBy(set())]).toEqual([leafOf(a), { kind: 'bound', endpoints: [endpointAt(1)] }])
    other.tell('/svc/web', leafOf(a))
    other.tellReplicas(a, bound(1, 2))
    await expect.poll(() => client.connection.peek()).toMatchObject({ value: { kind: 'waiting' } })
    clock.advance(500)
    await expect.poll(set).toEqual(bound(1, 2))
    expect(tree()).toEqual(ok(leafOf(a)))
    expect([...other.asked].toSorted()).toEqual([a, '/default /svc/web'])
    other.stop()
  })

  it('moves to the other server when its own leaves, and confirms what it has all the while', async () => {
    const other = await FakeMeshServer.start()
    client.close()
    client = connect([server.address, other.address])
    const tree = await bindTo(a)
    const states: State<BoundTree>[] = []
    client.bind(web).watch(state => states.push(state))
    server.leave()
    await expect.poll(() => client.connection.peek()).toMatchObject({ value: { kind: 'waiting' } })
    server.tell('/svc/web', neg)
    await expect.poll(tree).toEqual(ok(neg))
    other.tell('/svc/web', empty)
    clock.advance(500)
    await expect.poll(tree).toEqual(ok(empty))
    await expect.poll(() => server.open).toEqual([])
    expect(states.map(trouble)).toEqual(states.map(() => undefined))
    other.stop()
  })

  it.each([
    [{ minMs: 1_000, maxMs: 5_000 }, [500, 1_500, 3_000, 3_750, 3_750, 3_750]],
    [{ minMs: 1_000, maxMs: 600_000 }, [500, 1_500, 3_000, 6_000, 7_500, 7_500]],
    [{ minMs: 30_000, maxMs: 600_000 }, [15_000, 22_500, 22_500]],
  ])('waits longer each time while no server is there, by %o, up to ten seconds', async (retry, expected) => {
    client.close()
    server.stop()
    client = connect([server.address], { retry })
    const waits: number[] = []
    for (let attempt = 1; attempt <= expected.length; attempt++) {
      await expect.poll(() => client.connection.peek()).toMatchObject({ value: { kind: 'waiting', attempt } })
      const state = client.connection.peek()
      const retryAt = state.kind === 'ok' && state.value.kind === 'waiting' ? state.value.retryAt : 0
      waits.push(retryAt - clock.now())
      clock.advance(retryAt - clock.now())
    }
    expect(waits).toEqual(expected)
  })

  it('asks again within a minute for a name that its server cannot evaluate', async () => {
    watch(client.bind(web))
    const waits: number[] = []
    for (let end = 1; end <= 8; end++) {
      await expect.poll(() => server.open).toEqual(['/default /svc/web'])
      server.end('/default /svc/web', status.INTERNAL, 'too deep')
      await expect.poll(() => client.counts().streams).toBe(0)
      const before = clock.now()
      while (client.counts().streams === 0) clock.advance(500)
      waits.push(clock.now() - before)
    }
    expect(waits).toEqual([1_500, 3_000, 6_000, 12_000, 24_000, 45_000, 45_000, 45_000])
  })

  it('opens many streams again in turns, and each once', async () => {
    client.close()
    const other = await FakeMeshServer.start()
    client = connect([server.address, other.address])
    const ids = Array.from({ length: 250 }, (_, n) => `/#/io.l5d.fs/${n}`)
    for (const id of ids) watch(client.replicas(pathOf(id)))
    await expect.poll(() => server.open.length).toBe(250)
    server.stop()
    await expect.poll(() => client.connection.peek()).toMatchObject({ value: { kind: 'waiting' } })
    let atOnce = -1
    client.connection.watch(state => {
      if (state.kind === 'ok' && state.value.kind === 'connected' && atOnce < 0) atOnce = client.counts().streams
    })
    clock.advance(500)
    await expect.poll(() => other.open.length).toBe(250)
    expect(other.asked).toHaveLength(250)
    expect(atOnce).toBeLessThanOrEqual(200)
    other.stop()
  })
})
