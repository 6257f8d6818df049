import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NamingError } from '../../../naming/errors.ts'
import { neg } from '../../../naming/name-tree.ts'
import { namingService } from '../../../proto/naming-service.ts'
import {
  createWatchClient,
  type WatchClient,
  type WatchClientOptions,
} from '../../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import type { Cell, Kernel } from '../../../watch/cell.ts'
import { type Clock, systemClock } from '../../../watch/clock.ts'
import type { State } from '../../../watch/state.ts'
import { startServer, type TestServer, testKernel, until } from '../../api/grpc/grpc-api.fixture.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'
import { startRelay } from '../../fakes/relay.fixture.ts'
import { startFrozenServer } from './frozen-server.fixture.ts'

/** Time stands still until a test moves it; turns of the event loop are real, for there is a real network. */
class StandingClock implements Clock {
  readonly #fake = new FakeClock()
  now = this.#fake.now
  monotonic = this.#fake.monotonic
  after = this.#fake.after
  defer = systemClock.defer
  advance = (ms: number): void => this.#fake.advance(ms)
  get timers(): number {
    return this.#fake.waiting
  }
}

let server: TestServer
let kernel: Kernel
let clock: StandingClock
let client: WatchClient

function connect(options: Partial<WatchClientOptions> = {}): WatchClient {
  return createWatchClient({
    addresses: [server.address],
    clientId: 'test',
    kernel,
    clock,
    random: () => 0.5,
    log: silentLog,
    metrics: createMetrics(),
    lingerMs: 0,
    ...options,
  })
}

beforeEach(async () => {
  server = await startServer({ drainMs: 100 })
  clock = new StandingClock()
  kernel = testKernel()
  client = connect()
})

afterEach(async () => {
  client.close()
  kernel.close()
  await server.close()
})

const web = { namespace: 'default', path: path('/svc/web') }

/** Every state a cell shows, oldest first. */
function record<T>(cell: Cell<T>): State<T>[] {
  const states: State<T>[] = []
  cell.watch(state => states.push(state))
  return states
}

const last = <T>(states: readonly T[]): T | undefined => states.at(-1)
const isOk = (state: State<unknown> | undefined): boolean => state?.kind === 'ok' && state.stale === undefined
const isStale = (state: State<unknown> | undefined): boolean => state?.kind === 'ok' && state.stale !== undefined
const okValue = <T>(state: State<T> | undefined): T | undefined => (state?.kind === 'ok' ? state.value : undefined)

/** Lets the kernel deliver what has been received. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await new Promise(resolve => setImmediate(resolve))
}

/** Waits until the client is to try again, lets it, and gives how long it would have waited and why. */
async function retry(): Promise<{ readonly waitMs: number; readonly reason: string }> {
  await until(() => connectionKind() === 'waiting')
  const state = okValue(client.connection.peek())
  if (state?.kind !== 'waiting') throw new Error('the client does not wait')
  const waitMs = state.retryAt - clock.now()
  clock.advance(waitMs)
  return { waitMs, reason: state.reason }
}

function connectionKind(): string | undefined {
  return okValue(client.connection.peek())?.kind
}

describe('the watch client', () => {
  test('shows names and replica sets as the server has them', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    const trees = record(client.bind(web))
    const replicas = record(client.replicas(path('/#/fs/a')))
    expect(trees).toEqual([{ kind: 'pending' }])
    await until(() => isOk(last(trees)) && isOk(last(replicas)))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1', '127.0.0.1:2'))
    await until(() => replicas.length === 3)
    expect(trees.map(okValue)).toEqual([undefined, treeTo('/#/fs/a')])
    expect(last(replicas)).toEqual({ kind: 'ok', value: endpoints('127.0.0.1:1', '127.0.0.1:2') })
  })

  test('has a replica set ready when the tree that leads to it is shown', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    const seen: State<unknown>[] = []
    client.bind(web).watch(state => {
      if (state.kind === 'ok') client.replicas(path('/#/fs/a')).watch(replicas => seen.push(replicas))
    })
    await until(() => seen.length > 0)
    expect(seen[0]).toMatchObject({ kind: 'ok' })
  })

  test('sends the server nothing for a name that is watched already', async () => {
    server.interpreter.tree('default/svc/web').set(neg)
    const trees = record(client.bind(web))
    await until(() => isOk(last(trees)))
    const { messagesSent } = client.counts()
    for (let i = 0; i < 1000; i++) expect(client.bind({ ...web }).peek().kind).toBe('ok')
    client.bind(web).watch(() => {})
    await settle()
    expect(client.counts().messagesSent).toBe(messagesSent)
    expect(messagesSent).toBeLessThanOrEqual(2)
  })

  test('keeps the old tree until every new leaf is known', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    const trees = record(client.bind(web))
    await until(() => isOk(last(trees)))
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/b', '/#/fs/c'))
    server.interpreter.set('/#/fs/b').set(endpoints('127.0.0.1:2'))
    await until(() => client.counts().updatesReceived >= 5)
    await settle()
    expect(last(trees.map(okValue))).toEqual(treeTo('/#/fs/a'))
    server.interpreter.set('/#/fs/c').fail(new NamingError('namer-unavailable', 'away'))
    await until(() => trees.length === 3)
    expect(last(trees.map(okValue))).toEqual(treeTo('/#/fs/b', '/#/fs/c'))
    expect(client.counts().replicas).toBe(2)
  })

  test('shows a new tree after 5 s though a leaf is not known', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    const trees = record(client.bind(web))
    await until(() => isOk(last(trees)))
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/b'))
    await until(() => client.counts().updatesReceived === 4)
    clock.advance(3_000)
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/c'))
    await until(() => client.counts().updatesReceived === 6)
    clock.advance(1_999)
    await settle()
    expect(last(trees.map(okValue))).toEqual(treeTo('/#/fs/a'))
    clock.advance(1)
    await until(() => trees.length === 3)
    expect(last(trees.map(okValue))).toEqual(treeTo('/#/fs/c'))
    expect(client.counts().replicas).toBe(1)
  })

  test('unsubscribes what nobody watches any more, after the linger', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    const ended = new AbortController()
    client.close()
    client = connect({ lingerMs: 1 })
    const states: State<unknown>[] = []
    client.bind(web).watch(state => states.push(state), ended.signal)
    client.replicas(path('/#/fs/a')).watch(state => states.push(state), ended.signal)
    await until(() => states.filter(isOk).length === 2)
    expect(server.kernel.counts().watchers).toBe(2)
    ended.abort()
    await until(() => server.kernel.counts().watchers === 0)
    expect(client.counts()).toMatchObject({ names: 0, replicas: 0 })
    expect(kernel.counts()).toMatchObject({ watchers: 0, openSources: 0 })
  })

  test('shows at once what is watched again within the linger, subscribes nothing anew, and goes on after it', async () => {
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    client.close()
    client = connect({ lingerMs: 10_000 })
    const ended = new AbortController()
    const before: State<unknown>[] = []
    client.bind(web).watch(state => before.push(state), ended.signal)
    client.replicas(path('/#/fs/a')).watch(state => before.push(state), ended.signal)
    await until(() => before.filter(isOk).length === 2)
    await settle()
    const { messagesSent } = client.counts()
    ended.abort()
    clock.advance(5_000)
    const trees = record(client.bind(web))
    const replicas = record(client.replicas(path('/#/fs/a')))
    expect([trees, replicas].map(states => isOk(states[0]))).toEqual([true, true])
    clock.advance(10_000)
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:2'))
    await until(() => replicas.length === 2)
    expect(client.counts()).toMatchObject({ messagesSent, names: 1, replicas: 1 })
  })

  test('keeps the last good state, stale, while the server is away, and converges when it is back', async () => {
    const { port } = server
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    server.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    server.interpreter.tree('default/svc/api').set(neg)
    const trees = record(client.bind(web))
    const api = record(client.bind({ namespace: 'default', path: path('/svc/api') }))
    const replicas = record(client.replicas(path('/#/fs/a')))
    await until(() => [trees, api, replicas].every(states => isOk(last<State<unknown>>(states))))
    await server.close()
    await until(() => [trees, api, replicas].every(states => isStale(last<State<unknown>>(states))))
    expect(last(trees)).toMatchObject({
      value: treeTo('/#/fs/a'),
      stale: { since: clock.now(), reason: { code: 'unavailable', message: expect.stringContaining('is away') } },
    })
    server.interpreter.tree('default/svc/api').set(treeTo('/#/fs/a'))
    const restarted = await startServer({ port, like: server, drainMs: 100 })
    const received = client.counts().updatesReceived
    await retry()
    await until(() => [trees, api, replicas].every(states => isOk(last<State<unknown>>(states))))
    expect(last(api.map(okValue))).toEqual(treeTo('/#/fs/a'))
    expect(trees.map(okValue).slice(1)).toEqual(trees.slice(1).map(() => treeTo('/#/fs/a')))
    expect(last(trees.map(okValue))).toBe(trees.map(okValue)[1])
    expect(client.counts().updatesReceived - received).toBe(3)
    await restarted.close()
  })

  test('keeps the last good tree when a server that is back does not know the answer yet', async () => {
    const tree = server.interpreter.tree('default/svc/web')
    tree.set(neg)
    const trees = record(client.bind(web))
    await until(() => isOk(last(trees)))
    const { port } = server
    await server.close()
    const cold = await startServer({ port, drainMs: 100 })
    await retry()
    await until(() => connectionKind() === 'connected' && client.counts().updatesReceived === 2)
    expect(last(trees)).toMatchObject({ kind: 'ok', value: neg, stale: {} })
    cold.interpreter.tree('default/svc/web').fail(new NamingError('namer-unavailable', 'away'))
    await until(() => client.counts().updatesReceived === 3)
    await until(() => JSON.stringify(reasonOf(last(trees))).includes('away'))
    cold.interpreter.set('/#/fs/a').set(endpoints('127.0.0.1:1'))
    cold.interpreter.tree('default/svc/web').set(treeTo('/#/fs/a'))
    await until(() => isOk(last(trees)))
    await cold.close()
  })

  test('shows a failure of the rules as it is', async () => {
    server.interpreter.tree('default/svc/web').fail(new NamingError('name-too-deep', 'too deep'))
    const trees = record(client.bind(web))
    await until(() => last(trees)?.kind === 'failed')
    expect(last(trees)).toMatchObject({ error: { code: 'name-too-deep', message: 'too deep' } })
  })

  test('goes to the next address when a server goes away, and stays there', async () => {
    const second = await startServer({ drainMs: 100 })
    second.interpreter.tree('default/svc/web').set(treeTo('/#/fs/second'))
    second.interpreter.set('/#/fs/second').set(endpoints('127.0.0.1:2'))
    server.interpreter.tree('default/svc/web').set(treeTo('/#/fs/first'))
    client.close()
    client = connect({ addresses: [server.address, second.address] })
    const trees = record(client.bind(web))
    await until(() => isOk(last(trees)))
    expect(last(trees.map(okValue))).toEqual(treeTo('/#/fs/first'))
    await server.close()
    await retry()
    await until(() => isOk(last(trees)) && okValue(last(trees)) !== okValue(trees[1]))
    expect(last(trees.map(okValue))).toEqual(treeTo('/#/fs/second'))
    expect(client.connection.peek()).toMatchObject({ value: { kind: 'connected', address: second.address } })
    await second.close()
  })

  test('notices a server that is gone without a word, and goes to the next', async () => {
    const relay = await startRelay(server.port)
    const second = await startServer({ drainMs: 100, like: server })
    server.interpreter.tree('default/svc/web').set(neg)
    client.close()
    client = connect({
      addresses: [relay.address, second.address],
      channelOptions: { 'grpc.keepalive_time_ms': 30, 'grpc.keepalive_timeout_ms': 30 },
    })
    const trees = record(client.bind(web))
    await until(() => isOk(last(trees)))
    relay.freeze()
    await until(() => isStale(last(trees)))
    await retry()
    await until(() => isOk(last(trees)))
    expect(client.connection.peek()).toMatchObject({ value: { kind: 'connected', address: second.address } })
    relay.close()
    await second.close()
  })

  test('refuses to be made without an address', () => {
    expect(() => connect({ addresses: [] })).toThrow(expect.objectContaining({ code: 'bad-config' }))
  })

  test('waits longer after each round of failures, and says until when', async () => {
    await server.close()
    client.close()
    client = connect({ random: () => 0.999 })
    const waits: number[] = []
    for (let failures = 0; failures < 8; failures++) {
      const { waitMs, reason } = await retry()
      waits.push(Math.round(waitMs))
      expect(reason).toContain(server.address)
    }
    expect(waits).toEqual([500, 999, 1998, 3996, 4995, 4995, 4995, 4995])
  })

  test('gives up an address that does not answer', async () => {
    client.close()
    const frozen = await startFrozenServer()
    client = connect({ addresses: [frozen.address, server.address], random: () => 0 })
    await until(() => frozen.accepted() > 0)
    clock.advance(5_000)
    clock.advance(0)
    await until(() => connectionKind() === 'connected')
    expect(client.connection.peek()).toMatchObject({ value: { address: server.address } })
    frozen.close()
  })

  test('leaves a server that sends what cannot be read', async () => {
    const garbled = new Server()
    const answer = (stream: ServerDuplexStream<Buffer, Buffer>): void => {
      stream.on('data', () => stream.write(Buffer.from([0x0a, 0x7f])))
      stream.sendMetadata(new Metadata())
    }
    garbled.addService({ Watch: namingService.Watch }, { Watch: answer })
    const port = await new Promise(resolve =>
      garbled.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound)),
    )
    server.interpreter.tree('default/svc/web').set(neg)
    client.close()
    client = connect({ addresses: [`127.0.0.1:${port}`, server.address], random: () => 0 })
    const trees = record(client.bind(web))
    const { reason } = await retry()
    expect(reason).toContain('cannot be read')
    await until(() => isOk(last(trees)))
    garbled.forceShutdown()
  })

  test('leaves no timer when it is closed', async () => {
    const trees = record(client.bind(web))
    await until(() => connectionKind() === 'connected')
    expect(trees).toHaveLength(1)
    client.close()
    client.close()
    expect(connectionKind()).toBe('closed')
    expect(clock.timers).toBe(0)
    await until(() => server.api.counts().streams === 0)
  })
})

function reasonOf(state: State<unknown> | undefined): string {
  return state?.kind === 'ok' ? (state.stale?.reason.message ?? '') : ''
}
