import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import type { EtcdCluster, EtcdEvent, RangeFollower } from '../../../clients/etcd/cluster.ts'
import { createEtcdCluster } from '../../../clients/etcd/etcd-cluster.ts'
import type { EtcdFailure } from '../../../clients/etcd/etcd-error.ts'
import { FakeEtcd } from '../../fakes/etcd-server.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'

const range = { key: '/t/', end: '/t0' }

interface Rig extends AsyncDisposable {
  readonly etcd: FakeEtcd
  readonly clock: SocketClock
  readonly cluster: EtcdCluster
  readonly failures: EtcdFailure[]
  /** What the follower heard, in words. */
  readonly heard: string[]
  /** Signs of life that the follower heard of. */
  readonly contacts: number
  stop(): void
  /** Lets real answers come until it holds. */
  until(what: string, holds: () => boolean): Promise<void>
  /** Lets seconds go by one at a time, each with its answers. */
  seconds(count: number): Promise<void>
}

const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))

interface RigOptions {
  readonly login?: { name: string; password: string }
  readonly isSilent?: boolean
}

async function openRig({ isSilent = false, ...more }: RigOptions = {}): Promise<Rig> {
  const etcd = await FakeEtcd.start()
  if (isSilent) etcd.rangeHold = new Promise(() => {})
  etcd.put('/t/a', '1')
  const clock = new SocketClock()
  const failures: EtcdFailure[] = []
  const heard: string[] = []
  const events = { onFailure: (reason: EtcdFailure) => void failures.push(reason) }
  const cluster = createEtcdCluster({ endpoints: [etcd.endpoint], clock, random: () => 0.5, events, ...more })
  let contacts = 0
  const stop = cluster.follow(range, { ...recorder(heard), contact: () => void contacts++ })
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (const deadline = Date.now() + 5000; !holds(); await turn())
      if (Date.now() > deadline) throw new Error(`never happened: ${what}; heard ${heard.join(', ')}`)
  }
  return {
    etcd,
    clock,
    cluster,
    failures,
    heard,
    get contacts() {
      return contacts
    },
    stop,
    until,
    seconds: async count => {
      for (let i = 0; i < count; i++) {
        clock.advance(1000)
        for (let i = 0; i < 20; i++) await turn()
      }
    },
    [Symbol.asyncDispose]: async () => {
      cluster.close()
      await etcd[Symbol.asyncDispose]()
    },
  }
}

function recorder(heard: string[]): Omit<RangeFollower, 'contact'> {
  const show = ({ kind, entry }: EtcdEvent): string =>
    kind === 'put' ? `${entry.key}=${entry.value}` : `${entry.key}-`
  const reading: string[] = []
  return {
    began: () => void reading.splice(0),
    read: entries => void reading.push(...entries.map(entry => show({ kind: 'put', entry }))),
    reset: (_, isRewound) => heard.push(`${isRewound ? 'rewound' : 'reset'} ${reading.join(' ')}`),
    changed: events => heard.push(events.map(show).join(' ')),
    failed: error => heard.push(`failed ${error.message}`),
  }
}

async function begin(more: RigOptions = {}): Promise<Rig> {
  const rig = await openRig(more)
  await rig.until('a watch', () => rig.etcd.watches.length === 1 && rig.heard.length === 1)
  return rig
}

describe('a followed range of etcd', () => {
  it('is read whole, and told only of what came after that', async () => {
    await using rig = await begin()
    expect(rig.heard).toEqual(['reset /t/a=1'])
    rig.etcd.watches[0]?.put('/t/b', '2')
    await rig.until('a change', () => rig.heard.length === 2)
    expect(rig.heard[1]).toBe('/t/b=2')
  })

  it('tells the changes of one revision together, though they came in parts', async () => {
    await using rig = await begin()
    const [watch] = rig.etcd.watches
    watch?.put('/t/b', '2', { fragment: true })
    watch?.put('/t/c', '3', { fragment: true })
    watch?.put('/t/d', '4')
    await rig.until('the changes', () => rig.heard.length === 2)
    expect(rig.heard[1]).toBe('/t/b=2 /t/c=3 /t/d=4')
  })

  it('is read anew when the watch says nothing for four seconds', async () => {
    await using rig = await begin()
    await rig.seconds(1)
    rig.etcd.progress = undefined
    rig.etcd.put('/t/a', '2')
    await rig.seconds(6)
    await rig.until('a reading', () => rig.heard.includes('reset /t/a=2'))
    expect(rig.failures).toEqual(['silent'])
    await rig.until('one watch', () => rig.etcd.openWatches.length === 1 && rig.etcd.watches.length === 2)
  })

  it('is read anew when the watch answers but stays behind what the cluster has', async () => {
    await using rig = await begin()
    const stuck = rig.etcd.revision
    rig.etcd.progress = () => stuck
    await rig.seconds(1)
    rig.etcd.put('/t/a', '2')
    await rig.seconds(6)
    await rig.until('a reading', () => rig.heard.includes('reset /t/a=2'))
    expect(rig.heard).toEqual(['reset /t/a=1', 'reset /t/a=2'])
    expect(rig.failures).toEqual(['silent'])
  })

  it('gives a server that is behind the reading time to catch up, and leaves one that does not', async () => {
    await using rig = await openRig()
    rig.etcd.progress = () => 1
    await rig.until('a watch', () => rig.etcd.watches.length === 1 && rig.heard.length === 1)
    await rig.seconds(3)
    expect(rig.failures).toEqual([])
    await rig.seconds(3)
    await rig.until('a failure', () => rig.heard.length > 1)
    expect(rig.heard[1]).toMatch(/^failed .*stays behind/)
  })

  it('is told soon that an etcd which is silent from the start does not serve', async () => {
    await using rig = await openRig({ isSilent: true })
    await rig.seconds(3)
    await rig.until('a failure', () => rig.heard.length > 0)
    expect(rig.heard[0]).toMatch(/^failed .*did not answer/)
  })

  it('is known to be well on an etcd on which nothing is written', async () => {
    await using rig = await begin()
    await rig.seconds(10)
    await rig.until('signs of life', () => rig.contacts >= 9)
    expect(rig.heard).toEqual(['reset /t/a=1'])
    expect(rig.failures).toEqual([])
  })

  it('costs one question a second and one read every other second while it is quiet', async () => {
    await using rig = await begin()
    const before = rig.etcd.ranges
    await rig.seconds(20)
    await rig.until('the reads', () => rig.etcd.ranges >= before + 10)
    expect(rig.etcd.ranges - before).toBe(10)
    expect(rig.etcd.watches).toHaveLength(1)
    expect(rig.heard).toHaveLength(1)
  })

  it('is read anew about every five minutes', async () => {
    await using rig = await begin()
    rig.etcd.put('/t/lost', 'by the watch')
    for (let second = 2; second < 300; second += 2) {
      rig.clock.advance(2000)
      await rig.until('both answers', () => rig.contacts === second)
    }
    expect(rig.heard).toHaveLength(1)
    rig.clock.advance(2000)
    await rig.until('a reading', () => rig.heard.length > 1)
    expect(rig.heard[1]).toBe('reset /t/a=1 /t/lost=by the watch')
  })

  it('is told to have gone back when the term of the leader has, whatever the revision', async () => {
    await using rig = await begin()
    rig.etcd.term = 1
    rig.etcd.put('/t/a', '2')
    await rig.seconds(2)
    await rig.until('a reading', () => rig.heard.length > 1)
    expect(rig.heard[1]).toBe('rewound /t/a=2')
  })

  it('is read anew at once, with nobody told of a failure, when a watch that was well is lost', async () => {
    await using rig = await begin()
    await rig.seconds(1)
    rig.etcd.watches[0]?.fail({ code: status.UNAVAILABLE, text: 'etcdserver: server stopped' })
    await rig.until('another watch', () => rig.etcd.watches.length === 2)
    expect(rig.heard).toEqual(['reset /t/a=1', 'reset /t/a=1'])
  })

  it('tells of a watch that is refused, and backs off', async () => {
    await using rig = await begin()
    rig.etcd.watches[0]?.send({ canceled: true, cancelReason: 'etcdserver: permission denied' })
    await rig.until('a failure', () => rig.heard.length > 1)
    expect(rig.heard[1]).toMatch(/failed .*permission denied.*role grant-permission/)
    await rig.seconds(1)
    await rig.until('another watch', () => rig.etcd.watches.length === 2)
  })

  it('leaves no watch and no timer behind', async () => {
    await using rig = await begin()
    rig.stop()
    rig.stop()
    await rig.until('the end of the watch', () => rig.etcd.openWatches.length === 0)
    expect(rig.clock.waiting).toBe(0)
  })
})

describe('a login to etcd', () => {
  const login = { name: 'nameplane', password: 'secret' }

  it('is made once for all calls, and again when its token is refused', async () => {
    await using rig = await begin({ login })
    expect(rig.etcd.logins).toEqual(['nameplane'])
    const text = 'etcdserver: invalid auth token'
    rig.etcd.rangeFault = token => (token === 'token-1' ? { code: status.UNAUTHENTICATED, text } : undefined)
    const answer = await rig.cluster.range({ key: '/t/a' })
    expect(answer.entries).toHaveLength(1)
    expect(rig.etcd.logins).toHaveLength(2)
    expect(rig.etcd.tokens.at(-1)).toBe('token-2')
  })

  it('is not tried for ever when each token is refused', async () => {
    await using rig = await begin({ login })
    rig.etcd.rangeFault = () => ({ code: status.UNAUTHENTICATED, text: 'etcdserver: invalid auth token' })
    await expect(rig.cluster.range({ key: '/t/a' })).rejects.toThrow(/invalid auth token/)
    expect(rig.etcd.logins.length).toBeLessThan(5)
  })
})
