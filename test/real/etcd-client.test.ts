// The etcd client against real servers: calls that move on to the next endpoint, and a watch that is never silently wrong.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EtcdCluster, RangeFollower } from '../../clients/etcd/cluster.ts'
import { createEtcdCluster } from '../../clients/etcd/etcd-cluster.ts'
import { systemClock } from '../../watch/clock.ts'
import { eventually } from './backend-process.fixture.ts'
import { RealEtcd } from './etcd.fixture.ts'
import { SeenRange } from './storage/etcd-follower.fixture.ts'

function connect(endpoints: readonly string[]): EtcdCluster {
  return createEtcdCluster({ endpoints, clock: systemClock, random: Math.random, events: {} })
}

const range = { key: '/t/', end: '/t0' }

describe('a client of one etcd', () => {
  let etcd: RealEtcd
  let cluster: EtcdCluster
  beforeAll(async () => {
    etcd = await RealEtcd.start()
    cluster = connect(etcd.endpoints)
  })
  afterAll(async () => {
    cluster.close()
    await etcd[Symbol.asyncDispose]()
  })

  it('writes in transactions and reads what it wrote', async () => {
    const put = await cluster.txn({
      compare: [{ kind: 'modified-at', key: '/a/1', revision: 0 }],
      success: [{ kind: 'put', key: '/a/1', value: Buffer.from('one') }],
    })
    expect(put.succeeded).toBe(true)
    const again = await cluster.txn({
      compare: [{ kind: 'modified-at', key: '/a/1', revision: 0 }],
      success: [{ kind: 'put', key: '/a/1', value: Buffer.from('two') }],
      failure: [{ kind: 'range', key: '/a/1' }],
    })
    expect(again.succeeded).toBe(false)
    expect(again.results).toMatchObject([{ kind: 'range', entries: [{ modRevision: put.at.revision }] }])
    const read = await cluster.range({ key: '/a/1' })
    expect(read.entries[0]?.value.toString()).toBe('one')
    expect(read.at).toMatchObject({ revision: put.at.revision, clusterId: put.at.clusterId })
  })

  it('holds keys on a lease for as long as it is renewed', async () => {
    const lease = await cluster.grantLease(10)
    await cluster.txn({ compare: [], success: [{ kind: 'put', key: '/l/1', value: Buffer.from('x'), lease }] })
    expect(await cluster.renewLease(lease)).toBe(true)
    await cluster.revokeLease(lease)
    await cluster.revokeLease(lease)
    expect(await cluster.renewLease(lease)).toBe(false)
    expect((await cluster.range({ key: '/l/1' })).entries).toEqual([])
  })

  it('follows by one watch, with nobody told of a failure, while nothing is written', async () => {
    const seen = new SeenRange()
    let contacts = 0
    const counted: RangeFollower = {
      began: () => seen.began(),
      read: entries => seen.read(entries),
      reset: revision => seen.reset(revision, false),
      changed: events => seen.changed(events),
      contact: () => void contacts++,
      failed: error => seen.failed(error),
    }
    const stop = cluster.follow({ key: '/quiet/', end: '/quiet0' }, counted)
    await eventually('signs of life', async () => contacts >= 6 || undefined)
    expect(seen).toMatchObject({ resets: 1, failures: [] })
    stop()
  })

  it('follows a range through changes, deletions and large events', async () => {
    const seen = new SeenRange()
    await etcd.server.api.put('/t/a', '1')
    const stop = cluster.follow(range, seen)
    await eventually('the first reading', async () => seen.values.get('/t/a') === '1' || undefined)
    await etcd.server.api.put('/t/b', 'x'.repeat(1_400_000))
    await etcd.server.api.delete('/t/a')
    await eventually('both', async () => (seen.values.size === 1 && seen.values.has('/t/b')) || undefined)
    await eventually('progress', async () => (await etcd.server.api.status()).revision === seen.revision || undefined)
    expect(seen).toMatchObject({ resets: 1, failures: [] })
    stop()
  })
})
