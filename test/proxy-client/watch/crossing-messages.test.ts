import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BoundTree } from '../../../naming/bound-tree.ts'
import { createWatchClient, type WatchClient } from '../../../proxy-client/watch/watch-client.ts'
import { silentLog } from '../../../runtime/log.ts'
import { createMetrics } from '../../../runtime/metrics.ts'
import type { Kernel } from '../../../watch/cell.ts'
import { systemClock } from '../../../watch/clock.ts'
import type { State } from '../../../watch/state.ts'
import { testKernel, until } from '../../api/grpc/grpc-api.fixture.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'
import { endpoints, path, treeTo } from '../../fakes/interpreter.fake.ts'
import { replicas, type ScriptedServer, staleReplicas, startScriptedServer, tree } from './scripted-server.fixture.ts'

const a = '/#/fs/a'
const b = '/#/fs/b'
const setA = endpoints('127.0.0.1:1')
const setB = endpoints('127.0.0.1:2')

let server: ScriptedServer
let kernel: Kernel
let client: WatchClient

beforeEach(async () => {
  server = await startScriptedServer()
  kernel = testKernel()
  const clock = new FakeClock()
  client = createWatchClient({
    addresses: [server.address],
    clientId: 'test',
    kernel,
    clock: { now: clock.now, monotonic: clock.monotonic, after: clock.after, defer: systemClock.defer },
    random: () => 0.5,
    log: silentLog,
    metrics: createMetrics(),
    lingerMs: 0,
  })
})

afterEach(() => {
  client.close()
  kernel.close()
  server.close()
})

/** Watches the name that gets this key, and resolves once the server has been asked for it. */
async function watchName(key: number): Promise<{ readonly states: State<BoundTree>[]; readonly leave: () => void }> {
  const left = new AbortController()
  const states: State<BoundTree>[] = []
  client.bind({ namespace: 'default', path: path(`/svc/${key}`) }).watch(state => states.push(state), left.signal)
  await until(() => server.asked.includes(`+${key}`))
  return { states, leave: () => left.abort() }
}

const shown = (states: readonly State<BoundTree>[]): BoundTree | undefined => {
  const state = states.at(-1)
  return state?.kind === 'ok' ? state.value : undefined
}

describe('messages that cross on the wire', () => {
  test('a name moves to a leaf that another name has just given up: the leaf is asked for, and the move does not wait', async () => {
    const one = await watchName(1)
    const two = await watchName(2)
    server.say(replicas(a, setA), tree(1, treeTo(a)), replicas(b, setB), tree(2, treeTo(b)))
    await until(() => shown(one.states) !== undefined && shown(two.states) !== undefined)
    one.leave()
    await until(() => server.asked.includes('-1'))
    // Written before the server had read that: it takes the client to hold the set of the first name still.
    server.say(tree(2, treeTo(a)))
    await until(() => server.asked.includes(`+${a}`))
    expect(shown(two.states)).toEqual(treeTo(b))
    server.say(replicas(a, setA))
    await until(
      () => shown(two.states) !== undefined && JSON.stringify(shown(two.states)) === JSON.stringify(treeTo(a)),
    )
    await until(() => server.asked.includes(`-${a}`))
    expect(client.counts()).toMatchObject({ names: 1, replicas: 1 })
  })

  test('a leaf that was asked for is unsubscribed when its name is given up first', async () => {
    const one = await watchName(1)
    server.say(tree(1, treeTo(a)))
    await until(() => server.asked.includes(`+${a}`))
    one.leave()
    await until(() => server.asked.includes(`-${a}`))
    expect(client.counts()).toMatchObject({ names: 0, replicas: 0 })
  })

  test('news of a replica set that was given up meanwhile leaves nothing behind', async () => {
    const one = await watchName(1)
    server.say(replicas(a, setA), tree(1, treeTo(a)))
    await until(() => shown(one.states) !== undefined)
    one.leave()
    await until(() => server.asked.includes('-1'))
    const { updatesReceived } = client.counts()
    server.say(replicas(a, setB))
    server.say(replicas(b, setB), tree(1, treeTo(b)))
    await until(() => client.counts().updatesReceived === updatesReceived + 3)
    expect(client.counts()).toMatchObject({ names: 0, replicas: 0 })
  })

  test('a set that comes some messages before the tree that it is a leaf of is not asked for again', async () => {
    const one = await watchName(1)
    server.say(replicas(a, setA))
    server.say()
    server.say(replicas(b, setB), tree(1, treeTo(a, b)))
    await until(() => shown(one.states) !== undefined)
    one.leave()
    await until(() => server.asked.includes('-1'))
    expect(server.asked).toEqual(['+1', '-1'])
    expect(client.counts()).toMatchObject({ names: 0, replicas: 0 })
  })

  test('a change of staleness of a replica set that was given up meanwhile does not cost the stream', async () => {
    const one = await watchName(1)
    const two = await watchName(2)
    server.say(replicas(a, setA), tree(1, treeTo(a)))
    await until(() => shown(one.states) !== undefined)
    one.leave()
    await until(() => server.asked.includes('-1'))
    server.say(staleReplicas(a, setA, { since: 1, reason: new Error('away') }))
    server.say(replicas(b, setB), tree(2, treeTo(b)))
    await until(() => shown(two.states) !== undefined)
    expect(client.counts()).toMatchObject({ connections: 1, replicas: 1 })
  })
})
