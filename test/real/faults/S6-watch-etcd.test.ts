// S6: what made watches of etcd silently wrong: compaction, frozen peers, restored data. Each follower ends with the truth.
import { describe, expect, it } from 'vitest'
import type { EtcdCluster } from '../../../clients/etcd/cluster.ts'
import { createEtcdCluster } from '../../../clients/etcd/etcd-cluster.ts'
import type { EtcdFailure } from '../../../clients/etcd/etcd-error.ts'
import { systemClock } from '../../../watch/clock.ts'
import { versionOf } from '../../contract/shared-backend.contract.ts'
import { request } from '../../contract/store.contract.ts'
import { type EtcdServer, RealEtcd } from '../etcd.fixture.ts'
import { SeenRange } from '../storage/etcd-follower.fixture.ts'
import { freshPrefix, openBackend, startStore } from '../storage/etcd-store.fixture.ts'
import { realEnv, untilTrue } from '../storage/store.fixture.ts'
import { TcpRelay } from '../tcp-relay.fixture.ts'

const range = { key: '/t/', end: '/t0' }

interface Rig extends AsyncDisposable {
  readonly cluster: EtcdCluster
  readonly seen: SeenRange
  readonly failures: EtcdFailure[]
  openWatches: number
}

/** A client that follows the range. */
function follow(endpoints: readonly string[]): Rig {
  const failures: EtcdFailure[] = []
  const cluster = createEtcdCluster({
    endpoints,
    clock: systemClock,
    random: Math.random,
    events: {
      onFailure: reason => failures.push(reason),
      onWatch: () => {
        rig.openWatches++
        return () => void rig.openWatches--
      },
    },
  })
  const seen = new SeenRange()
  cluster.follow(range, seen)
  const rig: Rig = { cluster, seen, failures, openWatches: 0, [Symbol.asyncDispose]: async () => cluster.close() }
  return rig
}

const shows = (seen: SeenRange, values: Readonly<Record<string, string>>): boolean =>
  seen.values.size === Object.keys(values).length &&
  Object.entries(values).every(([key, value]) => seen.values.get(key) === value)

/** Someone else's endpoint to write through. */
function another({ servers }: RealEtcd, than: EtcdServer): EtcdServer {
  const other = servers.find(server => server !== than)
  if (other === undefined) throw new Error('one server only')
  return other
}

describe.concurrent('S6: a follower of etcd', () => {
  it('finds what was deleted and compacted while its path was dead', async () => {
    await using etcd = await RealEtcd.start()
    const { api, port } = etcd.server
    await using relay = await TcpRelay.open(port)
    await api.put('/t/a', '1')
    await api.put('/t/b', '1')
    await using rig = follow([`127.0.0.1:${relay.port}`])
    await untilTrue('both keys', () => shows(rig.seen, { '/t/a': '1', '/t/b': '1' }))
    relay.stopPassing()
    await api.delete('/t/a')
    for (let i = 0; i < 50; i++) await api.put('/t/b', String(i))
    await api.compact((await api.status()).revision)
    relay.passAgain()
    await untilTrue('the truth', () => shows(rig.seen, { '/t/b': '49' }))
    expect(rig.seen.rewinds).toBe(0)
  })

  it('reads all anew when its watch is behind what was compacted', async () => {
    await using etcd = await RealEtcd.start()
    const { api } = etcd.server
    await api.put('/t/a', '1')
    await using rig = follow(etcd.endpoints)
    await untilTrue('the key', () => shows(rig.seen, { '/t/a': '1' }))
    await etcd.server.kill()
    await etcd.server.start()
    await api.delete('/t/a')
    await api.put('/t/b', '2')
    await api.compact((await api.status()).revision)
    await untilTrue('the truth', () => shows(rig.seen, { '/t/b': '2' }))
    await api.put('/t/c', '3')
    await untilTrue('what comes then', () => shows(rig.seen, { '/t/b': '2', '/t/c': '3' }))
    expect(rig.seen.rewinds).toBe(0)
  })

  it('takes an older state that etcd was restored to, and says so', async () => {
    await using etcd = await RealEtcd.start()
    const { server } = etcd
    await server.api.put('/t/a', 'old')
    await server.kill()
    await server.save()
    await server.start()
    await server.api.put('/t/a', 'new')
    await server.api.put('/t/b', 'new')
    await using rig = follow(etcd.endpoints)
    await untilTrue('the new state', () => shows(rig.seen, { '/t/a': 'new', '/t/b': 'new' }))
    await server.kill()
    await server.restore()
    await server.start()
    await untilTrue('the old state', () => shows(rig.seen, { '/t/a': 'old' }))
    expect(rig.seen.rewinds).toBe(1)
    await server.api.put('/t/a', 'after')
    await untilTrue('what comes then', () => shows(rig.seen, { '/t/a': 'after' }))
  })

  it('takes another cluster at the same place for another one, though its revisions are greater', async () => {
    await using etcd = await RealEtcd.start({ argv: ['--initial-cluster-token=one'] })
    await using other = await RealEtcd.start({ argv: ['--initial-cluster-token=two'] })
    await using relay = await TcpRelay.open(etcd.server.port)
    await etcd.server.api.put('/t/a', 'one')
    for (let i = 0; i < 5; i++) await other.server.api.put('/t/b', 'two')
    await using rig = follow([`127.0.0.1:${relay.port}`])
    await untilTrue('the first', () => shows(rig.seen, { '/t/a': 'one' }))
    relay.moveTo(other.server.port)
    await untilTrue('the second', () => shows(rig.seen, { '/t/b': 'two' }))
    expect(rig.seen.rewinds).toBe(1)
  })

  it('goes on at another server when the one it watches at, the leader, is frozen', async () => {
    await using etcd = await RealEtcd.start({ servers: 3 })
    const leader = await etcd.leader()
    const endpoints = [leader.endpoint, ...etcd.endpoints.filter(endpoint => endpoint !== leader.endpoint)]
    await using rig = follow(endpoints)
    const { api } = another(etcd, leader)
    await api.put('/t/a', '1')
    await untilTrue('the first', () => shows(rig.seen, { '/t/a': '1' }))
    leader.freeze()
    await untilTrue('a leader among the others', () => rig.seen.resets > 1)
    await rig.cluster.txn({ compare: [], success: [{ kind: 'put', key: '/t/a', value: Buffer.from('2') }] })
    await untilTrue('what comes then', () => shows(rig.seen, { '/t/a': '2' }))
    leader.resume()
    expect(rig.openWatches).toBe(1)
  })

  it('is told nothing by a server that was cut off from the others, and leaves it', async () => {
    await using etcd = await RealEtcd.start({ servers: 3 })
    const leader = await etcd.leader()
    const [lonely, ...others] = [another(etcd, leader), ...etcd.servers.filter(s => s !== another(etcd, leader))]
    await using rig = follow([lonely.endpoint])
    await untilTrue('a watch', () => rig.seen.resets === 1)
    for (const other of others) other.freeze()
    await untilTrue('a failure', () => rig.seen.failures.length > 0)
    expect(rig.failures.some(reason => reason === 'no-leader' || reason === 'timeout')).toBe(true)
    for (const other of others) other.resume()
    await untilTrue('health', () => rig.seen.resets > 1)
  })
})

/** A client that follows nothing. */
function connect(endpoints: readonly string[]): Pick<Rig, 'cluster' | 'failures'> & AsyncDisposable {
  const failures: EtcdFailure[] = []
  const events = { onFailure: (reason: EtcdFailure) => void failures.push(reason) }
  const cluster = createEtcdCluster({ endpoints, clock: systemClock, random: Math.random, events })
  return { cluster, failures, [Symbol.asyncDispose]: async () => cluster.close() }
}

const put = { compare: [], success: [{ kind: 'put', key: '/a', value: Buffer.from('1') }] } as const

describe.concurrent('S6: a server on etcd', () => {
  it('shows what was written after a restore, though it has the number and the revision of what it knew', async () => {
    await using etcd = await RealEtcd.start()
    const { server } = etcd
    await using relay = await TcpRelay.open(server.port)
    const pathPrefix = freshPrefix()
    await using writer = await startStore({ endpoints: etcd.endpoints, pathPrefix })
    await writer.store.write(request('web', '/a => /first'))
    await server.kill()
    await server.save()
    await server.start()
    await using onlooker = await startStore({ endpoints: [`127.0.0.1:${relay.port}`], pathPrefix })
    let text: string | undefined
    onlooker.store.observe('web').watch(state => {
      if (state.kind === 'ok') text = state.value?.text
    })
    await writer.store.write(request('web', '/a => /lost'))
    await untilTrue('the text that will be lost', () => text === '/a => /lost')
    const { revision } = await server.api.status()
    relay.stopPassing()
    await server.kill()
    await server.restore()
    await server.start()
    const { written } = await writer.store.write(request('web', '/a => /kept'))
    expect([written.version, (await server.api.status()).revision]).toEqual([2, revision])
    relay.passAgain()
    await untilTrue('the text that was kept', () => text === '/a => /kept')
  })
})

describe.concurrent('calls to etcd', () => {
  it('are served by the next server while one refuses and one is frozen, and only the first call finds that out', async () => {
    await using etcd = await RealEtcd.start({ servers: 3 })
    const leader = await etcd.leader()
    const frozen = another(etcd, leader)
    await using client = connect(['127.0.0.1:1', frozen.endpoint, leader.endpoint])
    frozen.freeze()
    expect(await client.cluster.txn(put)).toMatchObject({ succeeded: true })
    expect(client.failures).toEqual(['unreachable', 'timeout'])
    for (let i = 0; i < 20; i++) await client.cluster.range({ key: '/a' })
    expect(client.failures).toHaveLength(2)
    frozen.resume()
  })

  it('are answered through the loss of the leader', async () => {
    await using etcd = await RealEtcd.start({ servers: 3 })
    await using client = connect(etcd.endpoints)
    await client.cluster.range({ key: '/a' })
    const leader = await etcd.leader()
    await leader.kill()
    expect(await client.cluster.txn(put)).toMatchObject({ succeeded: true })
    await leader.start()
  })

  it('are done once when they are sent twice', async () => {
    await using etcd = await RealEtcd.start()
    await using relay = await TcpRelay.open(etcd.server.port)
    const place = { endpoints: [`127.0.0.1:${relay.port}`, etcd.server.endpoint], pathPrefix: '/namerd/dtabs' }
    const backend = openBackend(place, realEnv())
    const over = await backend.readHead('web')
    relay.stopAnswering()
    const outcome = await backend.commit({ over, version: versionOf('web', 1, '/a=>/b') })
    expect(outcome.kind).toBe('written')
    expect(await backend.readHead('web')).toMatchObject({ isOurs: true, record: { version: 1 } })
    await backend.close()
  })

  it('end with the cure when nobody serves', async () => {
    await using etcd = await RealEtcd.start()
    etcd.server.freeze()
    await using client = connect(['127.0.0.1:1', etcd.server.endpoint])
    await expect(client.cluster.range({ key: '/a' })).rejects.toThrow(/look at its load|start it, or correct host/)
  })
})
