import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { ContentDigest, resourceMark, updateMark } from '../../../proto/content-digest.ts'
import { encodeReplicaContent, encodeTreeContent, hashOf } from '../../../proto/updates.ts'
import { createWatchClient, type WatchClient } from '../../../proxy-client/watch/watch-client.ts'
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
  sameTree,
  startScriptedServer,
  tree,
  unknownTree,
} from './scripted-server.fixture.ts'

const a = '/#/fs/a'
const b = '/#/fs/b'
const setA = endpoints('127.0.0.1:1')

let server: ScriptedServer
let kernel: Kernel
let clock: FakeClock
let client: WatchClient
let states: State<BoundTree>[]
let left: AbortController

beforeEach(async () => {
  server = await startScriptedServer()
  kernel = testKernel()
  clock = new FakeClock()
  const { now, monotonic, after } = clock
  const times = { now, monotonic, after, defer: systemClock.defer }
  const options = { addresses: [server.address], clientId: 'test', kernel, clock: times, random: () => 0.5 }
  client = createWatchClient({ ...options, log: silentLog, lingerMs: 0 })
  states = []
  left = new AbortController()
  client.bind({ namespace: 'default', path: path('/svc/1') }).watch(state => states.push(state), left.signal)
  await until(() => server.asked.includes('+1'))
})

afterEach(() => {
  client.close()
  kernel.close()
  server.close()
})

const shown = (): unknown => {
  const state = states.at(-1)
  return state?.kind === 'ok' ? state.value : undefined
}

/** Time passes, with turns of the event loop between. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms)
  for (let turns = 0; turns < 5; turns++) await new Promise(resolve => setImmediate(resolve))
}

/** Of a name with key 1 that leads to `a`, and of that. */
function digestOfA(): number {
  const digest = new ContentDigest()
  digest.change(resourceMark(1), 0, updateMark(hashOf(encodeTreeContent(ok(treeTo(a)))), false))
  digest.change(resourceMark(path(a)), 0, updateMark(hashOf(encodeReplicaContent(ok(setA))), false))
  return digest.value
}

describe('what has come', () => {
  test('is confirmed at once, and then at most every 100 ms', async () => {
    server.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
    await until(() => server.acks.length === 1)
    expect(server.acks[0]).toEqual({ kind: 'ack', received: 1, applied: 1, digest: digestOfA() })
    for (let sequence = 2; sequence < 9; sequence++) server.sayNumbered(sequence)
    await until(() => client.counts().messagesReceived === 8)
    await pass(99)
    expect(server.acks).toHaveLength(1)
    await pass(1)
    await until(() => server.acks.length === 2)
    expect(server.acks[1]).toMatchObject({ received: 8, applied: 8 })
    expect(client.counts()).toMatchObject({ acksSent: 2, messagesSent: 1 })
  })

  test('is not in use before the tree is shown that waits for its leaves', async () => {
    server.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
    await until(() => server.acks.length === 1)
    await pass(100)
    server.sayNumbered(2, tree(1, treeTo(b)))
    await until(() => server.acks.length === 2)
    expect(server.acks[1]).toMatchObject({ received: 2, applied: 1 })
    await pass(4_999)
    expect(shown()).toEqual(treeTo(a))
    await pass(1)
    await until(() => server.acks.length === 3)
    expect(server.acks[2]).toMatchObject({ received: 2, applied: 2 })
    expect(shown()).toEqual(treeTo(b))
  })

  test('is in use as soon as the name is given up that alone was waiting', async () => {
    client.bind({ namespace: 'default', path: path('/svc/2') }).watch(() => {})
    server.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
    await until(() => server.acks.length === 1)
    await pass(100)
    server.sayNumbered(2, tree(1, treeTo(b)))
    await until(() => server.acks.length === 2)
    await pass(100)
    left.abort()
    await until(() => server.acks.length === 3)
    expect(server.acks[2]).toMatchObject({ received: 2, applied: 2 })
  })

  test('is ignored when it comes late or again; a gap is told at once', async () => {
    server.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
    await until(() => server.acks.length === 1)
    server.sayNumbered(3)
    await until(() => server.acks.length === 2)
    server.sayNumbered(2, tree(1, treeTo(b)))
    server.sayNumbered(3, tree(1, treeTo(b)))
    await until(() => client.counts().messagesIgnored === 2)
    expect(shown()).toEqual(treeTo(a))
    expect(server.acks[1]).toMatchObject({ received: 3, digest: digestOfA() })
  })

  test('does not count when it confirms what is not held', async () => {
    server.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
    server.sayNumbered(3, sameTree(1, treeTo(b)))
    await until(() => server.acks.at(-1)?.received === 3)
    expect(server.acks.at(-1)?.digest).toBe(digestOfA())
    expect(shown()).toEqual(treeTo(a))
    expect(client.counts().connections).toBe(1)
  })

  test('is not confirmed to a server that does not count', async () => {
    server.say(replicas(a, setA), tree(1, treeTo(a)))
    await until(() => shown() !== undefined)
    await pass(1_000)
    expect(server.acks).toEqual([])
  })
})

describe('what is held', () => {
  test('is listed when the server asks', async () => {
    server.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
    client.replicas(path(b)).watch(() => {}, left.signal)
    await until(() => server.asked.includes(`+${b}`))
    server.sayNumbered(2, builder => builder.wantHeld())
    await until(() => server.held.includes('whole'))
    expect(server.held).toEqual(['1 ok', `${b} none`, `${a} ok`, 'whole'])
    expect(client.counts().driftAnswers).toBe(1)
  })

  test('is subscribed again where the server does not know it', async () => {
    client.replicas(path(b)).watch(() => {}, left.signal)
    await until(() => server.asked.includes(`+${b}`))
    server.sayNumbered(1, builder => {
      for (const unknown of [1, path(b), 77, path('/#/fs/never')]) builder.addUnknown(unknown)
    })
    await until(() => server.asked.length === 4)
    expect(server.asked).toEqual(['+1', `+${b}`, `+${b}`, '+1'])
  })

  test('stands, stale, when what comes cannot be used, and its leaves are followed by themselves meanwhile', async () => {
    server.sayNumbered(1, replicas(a, setA), tree(1, treeTo(a)))
    server.sayNumbered(2, unknownTree(1))
    await until(() => server.refused.length === 1)
    expect(server.refused[0]).toMatch(/^1 .*no node that is known/)
    await until(() => server.asked.includes(`+${a}`))
    expect(states.at(-1)).toMatchObject({ value: treeTo(a), stale: { reason: { code: 'unavailable' } } })
    server.sayNumbered(3, tree(1, treeTo(a)))
    await until(() => server.asked.includes(`-${a}`))
    expect(states.at(-1)).toEqual(ok(treeTo(a)))
    expect(client.counts()).toMatchObject({ updatesRefused: 1, connections: 1 })
  })
})
