import { status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import type { EtcdCluster } from '../../../clients/etcd/cluster.ts'
import { createEtcdCluster } from '../../../clients/etcd/etcd-cluster.ts'
import { EtcdError } from '../../../clients/etcd/etcd-error.ts'
import { etcdFailure } from '../../../storage/etcd/etcd-failure.ts'
import { FakeEtcd, type FakeStatus } from '../../fakes/etcd-server.fake.ts'
import { SocketClock } from '../../fakes/socket-clock.fake.ts'

const stepMs = 25
const turn = (): Promise<void> => new Promise(resolve => void setImmediate(resolve))
/** Nobody listens there. */
const refusing = '127.0.0.1:1'

class Caller implements Disposable {
  readonly clock = new SocketClock()
  readonly cluster: EtcdCluster

  constructor(endpoints: readonly string[], login?: { readonly name: string; readonly password: string }) {
    const more = login === undefined ? {} : { login }
    this.cluster = createEtcdCluster({ endpoints, clock: this.clock, random: () => 0.5, events: {}, ...more })
  }

  /** How a call ended, and after how long by the clock, which moves on while the call waits. */
  async call(): Promise<{ readonly ms: number; readonly outcome: unknown }> {
    const startedAt = this.clock.monotonic()
    let ended: { readonly outcome: unknown } | undefined
    this.cluster.range({ key: '/a' }).then(
      answer => {
        ended = { outcome: answer.entries.length }
      },
      (error: unknown) => {
        ended = { outcome: error }
      },
    )
    for (const deadline = Date.now() + 5000; ended === undefined && Date.now() < deadline; ) {
      for (let i = 0; i < 20 && ended === undefined; i++) await turn()
      if (ended === undefined) this.clock.advance(stepMs)
    }
    return { ms: this.clock.monotonic() - startedAt, outcome: ended?.outcome }
  }

  [Symbol.dispose](): void {
    this.cluster.close()
  }
}

/** Answers the first calls so, one after the other. */
function answerFirst(etcd: FakeEtcd, faults: readonly FakeStatus[]): void {
  const left = [...faults]
  etcd.rangeFault = () => left.shift()
}

describe('a call to etcd', () => {
  it('ends soon where nobody can be connected to', async () => {
    using caller = new Caller([refusing, refusing])
    const { ms, outcome } = await caller.call()
    expect(outcome).toMatchObject({ reason: 'unreachable', mayBeDone: false })
    expect(String(outcome)).toMatch(/ECONNREFUSED 127\.0\.0\.1:1\): start it/)
    expect(ms).toBeLessThanOrEqual(300)
  })

  it('waits for a server that answered a moment ago, and the next one does not', async () => {
    const etcd = await FakeEtcd.start()
    etcd.put('/a', '1')
    using caller = new Caller([etcd.endpoint])
    expect((await caller.call()).outcome).toBe(1)
    await etcd[Symbol.asyncDispose]()
    const first = await caller.call()
    expect(first.outcome).toMatchObject({ reason: 'unreachable' })
    expect(first.ms).toBeGreaterThan(4000)
    const second = await caller.call()
    expect(second.ms).toBeLessThanOrEqual(300)
  })

  it('does not say that nothing was done when an earlier try may have been', async () => {
    await using etcd = await FakeEtcd.start()
    using caller = new Caller([etcd.endpoint])
    const full = { code: status.RESOURCE_EXHAUSTED, text: 'etcdserver: mvcc: database space exceeded' }
    answerFirst(etcd, [{ code: status.UNAVAILABLE, text: 'etcdserver: request timed out' }, full])
    const { outcome } = await caller.call()
    expect(outcome).toMatchObject({ reason: 'full', mayBeDone: true })
    expect(etcdFailure(outcome).code).toBe('store-unavailable')
    answerFirst(etcd, [full])
    expect(etcdFailure((await caller.call()).outcome).code).toBe('store-full')
  })

  it('is tried again when its proposal was dropped or cancelled', async () => {
    await using etcd = await FakeEtcd.start()
    etcd.put('/a', '1')
    using caller = new Caller([etcd.endpoint])
    answerFirst(etcd, [
      { code: status.UNKNOWN, text: 'raft proposal dropped' },
      { code: status.CANCELLED, text: 'etcdserver: request cancelled' },
    ])
    expect((await caller.call()).outcome).toBe(1)
  })

  it('ends when the cluster is closed in the middle of it', async () => {
    using caller = new Caller([refusing])
    const call = caller.cluster.range({ key: '/a' })
    caller.cluster.close()
    await expect(call).rejects.toBeInstanceOf(EtcdError)
    expect(caller.clock.waiting).toBe(0)
  })
})

describe('a token of etcd that is void', () => {
  const login = { name: 'nameplane', password: 'secret' }
  const unknown = { code: status.UNAUTHENTICATED, text: 'etcdserver: invalid auth token' }

  it('is renewed once, however many calls are told so', async () => {
    await using etcd = await FakeEtcd.start()
    using caller = new Caller([etcd.endpoint], login)
    await caller.cluster.range({ key: '/a' })
    let refused = 0
    etcd.rangeFault = token => {
      if (token !== 'token-1') return undefined
      refused++
      return unknown
    }
    await Promise.all(Array.from({ length: 20 }, () => caller.cluster.range({ key: '/a' })))
    await Promise.all(Array.from({ length: 20 }, () => caller.cluster.range({ key: '/a' })))
    expect(refused).toBe(20)
    expect(etcd.logins).toHaveLength(2)
  })

  it('is renewed in a call that has waited for a restart', async () => {
    await using etcd = await FakeEtcd.start()
    etcd.put('/a', '1')
    using caller = new Caller([etcd.endpoint], login)
    await caller.call()
    const stopped = { code: status.UNAVAILABLE, text: 'etcdserver: server stopped' }
    answerFirst(etcd, [...Array.from({ length: 10 }, () => stopped), unknown])
    expect((await caller.call()).outcome).toBe(1)
  })
})
