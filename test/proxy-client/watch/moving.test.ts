import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { createWatchClient, type WatchClient } from '../../../proxy-client/watch/watch-client.ts'
import type { ConnectionState } from '../../../proxy-client/watch/watch-connection.ts'
import { silentLog } from '../../../runtime/log.ts'
import type { Kernel } from '../../../watch/cell.ts'
import { systemClock } from '../../../watch/clock.ts'
import { ok, type State } from '../../../watch/state.ts'
import { testKernel, until } from '../../api/grpc/grpc-api.fixture.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'
import {
  replicas,
  type ScriptedServer,
  type ScriptedUpdate,
  sameReplicas,
  sameTree,
  startScriptedServer,
  tree,
} from './scripted-server.fixture.ts'

const a = '/#/fs/a'
const b = '/#/fs/b'
const setA = endpoints('127.0.0.1:1')
const setB = endpoints('127.0.0.1:2')
const within10s: ScriptedUpdate = builder => builder.addMove({ withinMs: 10_000, reason: 'test' })

let one: ScriptedServer
let two: ScriptedServer
let kernel: Kernel
let clock: FakeClock
let client: WatchClient

beforeEach(async () => {
  one = await startScriptedServer()
  two = await startScriptedServer()
  kernel = testKernel()
  clock = new FakeClock()
  client = connect([one.address, two.address])
})

afterEach(() => {
  client.close()
  kernel.close()
  one.close()
  two.close()
})

function connect(addresses: readonly string[]): WatchClient {
  const { now, monotonic, after } = clock
  const times = { now, monotonic, after, defer: systemClock.defer }
  const options = { addresses, clientId: 'test', kernel, clock: times, random: () => 0.5 }
  return createWatchClient({ ...options, log: silentLog, lingerMs: 0 })
}

function connection(): ConnectionState {
  const state = client.connection.peek()
  if (state.kind !== 'ok') throw new Error('the connection is not known')
  return state.value
}

/** Every state of a name, and how to leave it; names get the keys 1, 2 ... in turn. */
function watchName(name: string): { readonly states: State<BoundTree>[]; readonly leave: () => void } {
  const left = new AbortController()
  const states: State<BoundTree>[] = []
  client.bind({ namespace: 'default', path: path(name) }).watch(state => states.push(state), left.signal)
  return { states, leave: () => left.abort() }
}

async function turns(): Promise<void> {
  for (let count = 0; count < 20; count++) await new Promise(resolve => setImmediate(resolve))
}

/** The first server has answered for one name, and asks the client to go; the second has been asked what the first knows. */
async function beginMove(): Promise<ReturnType<typeof watchName>> {
  const watched = watchName('/svc/1')
  await until(() => one.asked.includes('+1'))
  one.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
  await until(() => watched.states.at(-1)?.kind === 'ok')
  one.sayNumbered(2, within10s)
  await until(() => client.counts().messagesReceived === 2)
  await turns()
  expect(two.streams()).toBe(0)
  clock.advance(5_000)
  await until(() => two.asked.includes('+1'))
  expect(connection()).toMatchObject({ kind: 'connected', address: one.address, movingTo: two.address })
  return watched
}

describe('R3: a move to another server', () => {
  test('ends the old stream once the new one has confirmed all, and shows nothing of it', async () => {
    const { states } = await beginMove()
    expect(two.asked).toEqual([`+${a}`, '+1'])
    two.sayNumbered(1, sameReplicas(a, setA))
    await until(() => two.acks.length === 1)
    expect(connection()).toMatchObject({ address: one.address })
    expect(two.acks[0]).toMatchObject({ received: 1, applied: 0 })
    two.sayNumbered(2, sameTree(1, treeTo(a)))
    await until(() => two.acks.length === 2)
    expect(two.acks[1]).toMatchObject({ received: 2, applied: 2 })
    await until(() => two.asked.includes(`-${a}`))
    expect(states.slice(1)).toEqual([ok(treeTo(a))])
    expect(connection()).toMatchObject({ kind: 'connected', address: two.address })
    expect(client.counts()).toMatchObject({ moves: 1, connections: 2, names: 1, replicas: 1 })
    two.sayNumbered(3, replicas(b, setB), tree(1, treeTo(b)))
    await until(() => states.length === 3)
    expect(states[2]).toEqual(ok(treeTo(b)))
  })

  test('waits for a server that is behind, and shows what the old one says meanwhile', async () => {
    const { states } = await beginMove()
    one.sayNumbered(3, replicas(b, setB), tree(1, treeTo(b)))
    two.sayNumbered(1, sameReplicas(a, setA), sameTree(1, treeTo(a)))
    await until(() => states.length === 3 && two.acks.length === 1)
    expect(connection()).toMatchObject({ address: one.address })
    two.sayNumbered(2, replicas(b, setB), tree(1, treeTo(b)))
    await until(() => client.counts().moves === 1)
    await turns()
    expect(states.slice(1)).toEqual([ok(treeTo(a)), ok(treeTo(b))])
  })

  test('is over in time, though the new server does not know the answers yet; what is held stands, stale', async () => {
    const { states } = await beginMove()
    clock.advance(4_999)
    expect(client.counts().moves).toBe(0)
    clock.advance(1)
    await until(() => states.length === 3)
    expect(states[2]).toMatchObject({ value: treeTo(a), stale: { reason: { code: 'unavailable' } } })
    two.sayNumbered(1, sameReplicas(a, setA), sameTree(1, treeTo(a)))
    await until(() => states.length === 4)
    expect(states[3]).toEqual(ok(treeTo(a)))
  })

  test('takes along what is given up and what is new meanwhile', async () => {
    const { leave } = await beginMove()
    const fresh = watchName('/svc/2')
    leave()
    await until(() => [one, two].every(({ asked }) => asked.includes('-1') && asked.includes('+2')))
    one.sayNumbered(3, replicas(b, setB), tree(2, treeTo(b)))
    two.sayNumbered(1, sameTree(1, treeTo(a)), replicas(b, setB), tree(2, treeTo(b)))
    await until(() => client.counts().moves === 1)
    await turns()
    expect(fresh.states.slice(1)).toEqual([ok(treeTo(b))])
    expect(client.counts()).toMatchObject({ names: 1, replicas: 1 })
    fresh.leave()
    await until(() => two.asked.includes('-2'))
    expect(client.counts()).toMatchObject({ names: 0, replicas: 0 })
  })

  test('ends with the old stream: what the new one has not confirmed by then is stale', async () => {
    const second = watchName('/svc/2')
    await until(() => one.asked.includes('+1'))
    one.sayNumbered(1, tree(1, treeTo(b)))
    one.sayNumbered(2, within10s)
    await until(() => client.counts().messagesReceived === 2)
    clock.advance(5_000)
    await until(() => two.asked.includes('+1'))
    one.end()
    await until(() => client.counts().moves === 1)
    await turns()
    expect(second.states.at(-1)).toMatchObject({ kind: 'ok', stale: {} })
    expect(connection()).toMatchObject({ kind: 'connected', address: two.address })
  })

  test('is tried again when the new server goes away; the old one serves on', async () => {
    const { states } = await beginMove()
    two.end()
    await until(() => !('movingTo' in connection()))
    clock.advance(1_000)
    await until(() => one.streams() === 2)
    one.sayNumbered(1, sameReplicas(a, setA), sameTree(1, treeTo(a)))
    await until(() => client.counts().moves === 1)
    await turns()
    expect(states).toHaveLength(2)
  })

  test('is given up when nobody else answers in time', async () => {
    const { states } = await beginMove()
    two.end()
    two.close()
    await until(() => !('movingTo' in connection()))
    clock.advance(10_000)
    await turns()
    expect(connection()).toMatchObject({ kind: 'connected', address: one.address })
    expect(states).toHaveLength(2)
    client.close()
    expect(clock.waiting).toBe(0)
  })
})

describe('a client that is closed', () => {
  test('while it moves leaves neither stream nor timer', async () => {
    await beginMove()
    two.sayNumbered(1, sameReplicas(a, setA))
    await until(() => two.acks.length === 1)
    client.close()
    expect(clock.waiting).toBe(0)
    expect(connection()).toEqual({ kind: 'closed' })
    await until(() => one.open() + two.open() === 0)
  })

  test('before a move has begun, or while it waits for an attempt, leaves no timer', async () => {
    await until(() => connection().kind === 'connected')
    one.sayNumbered(1, within10s)
    await until(() => client.counts().messagesReceived === 1)
    client.close()
    expect(clock.waiting).toBe(0)
    client = connect([one.address])
    await until(() => one.streams() === 2)
    one.end()
    await until(() => connection().kind === 'waiting')
    client.close()
    expect(clock.waiting).toBe(0)
  })
})

describe('a server that asks to be left alone', () => {
  test('is, for as long as it asks, and by as many as have nowhere else to go', async () => {
    await until(() => one.streams() === 1)
    one.end(30_000)
    await until(() => connection().kind === 'waiting')
    clock.advance(250)
    await until(() => two.streams() === 1)
    two.end(2_000)
    await until(() => connection().kind === 'waiting')
    clock.advance(2_000)
    await turns()
    expect([one.streams(), two.streams()]).toEqual([1, 1])
    clock.advance(250)
    await until(() => two.streams() === 2)
    expect(one.streams()).toBe(1)
  })
})
