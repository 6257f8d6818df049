// R2: ready neither too early nor never, and every wait has a reason that a person can read.
import { describe, expect, it } from 'vitest'
import { createReadiness, type Readiness, type ServedSnapshot } from '../../server/readiness.ts'
import { createMemoryStore } from '../../storage/memory/memory-store.ts'
import { type Store, storageGroup } from '../../storage/store.ts'
import { type Cell, type Kernel, relayGroup, type Sink } from '../../watch/cell.ts'
import { createKernel } from '../../watch/kernel.ts'
import { FakeClock } from '../fakes/clock.fake.ts'

const boundMs = 10_000

interface World {
  readonly clock: FakeClock
  readonly kernel: Kernel
  readonly stopping: AbortController
  readonly readiness: Readiness
}

function begin(
  listOf?: (kernel: Kernel) => Cell<never>,
  servedSnapshot: () => ServedSnapshot | undefined = () => undefined,
): World {
  const clock = new FakeClock()
  const kernel = createKernel({
    clock,
    onError: error => {
      throw error
    },
  })
  const memory = createMemoryStore({ kernel, clock })
  const store: Store = listOf === undefined ? memory : { ...memory, list: () => listOf(kernel) }
  const stopping = new AbortController()
  return {
    clock,
    kernel,
    stopping,
    readiness: createReadiness({ kernel, store, clock, boundMs, shutdown: stopping.signal, servedSnapshot }),
  }
}

describe('R2: readiness', () => {
  it('is given at once when everything has answered', () => {
    expect(begin().readiness.report()).toEqual({ ready: true, reasons: [] })
  })

  it('waits for a store that has not answered, and says so', () => {
    const { readiness, clock } = begin(kernel => kernel.source('storage list', () => () => {}))
    clock.advance(1_500)
    expect(readiness.report()).toEqual({
      ready: false,
      reasons: ['storage list has not answered yet, waiting for 1500 ms'],
    })
  })

  it('waits for a store that fails, naming the error and the next try', () => {
    const { readiness, clock } = begin(kernel =>
      kernel.source('storage list', (sink: Sink<never>) => {
        sink.fail(new Error('connection refused.'), new FakeClock().now() + 700)
        return () => {}
      }),
    )
    clock.advance(200)
    expect(readiness.report()).toEqual({
      ready: false,
      reasons: ['storage list has never answered, failing for 200 ms: connection refused, next try in 500 ms'],
    })
  })

  it('comes in bounded time when a source stays dead, still naming it, and the names behind it are pending, never neg', () => {
    const { readiness, clock, kernel } = begin(k => k.source('storage list', () => () => {}))
    let told = 0
    readiness.whenReady(() => told++)
    const seen: string[] = []
    kernel.source<string>('consul dc1/web', () => () => {}).watch(state => seen.push(state.kind))
    clock.advance(boundMs - 1)
    expect([readiness.report().ready, told]).toEqual([false, 0])
    clock.advance(1)
    expect(readiness.report()).toEqual({
      ready: true,
      reasons: ['storage list', 'consul dc1/web'].map(
        name => `${name} has not answered yet, waiting for ${boundMs / 1000} s`,
      ),
    })
    expect([seen, told]).toEqual([['pending'], 1])
  })

  it('is told soon after the last source has answered, though nobody asks', () => {
    let presence: Sink<number> | undefined
    const { readiness, clock, kernel } = begin(k => {
      k.source<number>('presence', sink => {
        presence = sink
        return () => {}
      }).watch(() => {})
      return k.input<never>('storage list')
    })
    let told = 0
    readiness.whenReady(() => told++)
    clock.advance(1_000)
    presence?.set(1)
    expect(told).toBe(0)
    clock.advance(250)
    expect(told).toBe(1)
    clock.advance(1_000)
    readiness.close()
    expect([told, kernel.counts().watchers, clock.waiting]).toEqual([1, 1, 0])
  })

  it('stays once given: a later failure is a reason, not a refusal, for the last good state is served', () => {
    const { readiness, clock, kernel } = begin()
    expect(readiness.report().ready).toBe(true)
    let sink: Sink<number> | undefined
    kernel
      .source<number>('fs web', opened => {
        sink = opened
        return () => {}
      })
      .watch(() => {})
    sink?.set(1)
    clock.advance(300)
    sink?.fail(new Error('permission denied'))
    expect(readiness.report()).toEqual({
      ready: true,
      reasons: ['fs web is stale, last answer 300 ms ago: permission denied'],
    })
  })

  it('says long times as people do, and that a try is under way', () => {
    const { readiness, clock } = begin(kernel =>
      kernel.source('storage list', (sink: Sink<never>) => {
        sink.fail(new Error('connection refused'), new FakeClock().now() + 60_000)
        return () => {}
      }),
    )
    const reasons: (string | undefined)[] = []
    for (const ms of [9_999, 40_000, 150_000, 8_000_000]) {
      clock.advance(ms)
      reasons.push(readiness.report().reasons[0]?.replace('storage list has never answered, ', ''))
    }
    expect(reasons).toEqual([
      'failing for 9999 ms: connection refused, next try in 50 s',
      'failing for 49 s: connection refused, next try in 10 s',
      'failing for 3 min: connection refused, trying again now',
      'failing for 2 h: connection refused, trying again now',
    ])
  })

  it('lists a bounded number of reasons', () => {
    const { readiness, kernel } = begin()
    for (let n = 0; n < 100; n++) kernel.source(`fs ${n}`, () => () => {}).watch(() => {})
    const { reasons } = readiness.report()
    expect([reasons.length, reasons.at(-1)]).toEqual([21, 'and 80 more sources; see /state'])
  })

  it('says of 10,000 failing names of one backend one sentence, and leaves out what only passes on', () => {
    const { readiness, clock, kernel } = begin()
    const sinks: Sink<number>[] = []
    const open = (sink: Sink<number>): (() => void) => {
      sinks.push(sink)
      return () => {}
    }
    const group = '/#/io.l5d.consul'
    for (let n = 0; n < 10_000; n++) kernel.source(`consul ${n}`, open, { group }).watch(() => {})
    kernel.source('http consul', () => () => {}, { group: relayGroup }).watch(() => {})
    sinks[0]?.set(1)
    for (const sink of sinks.slice(1, 6_000)) sink.set(1)
    clock.advance(300)
    for (const sink of sinks.slice(1, 9_000)) sink.fail(new Error('no leader'), clock.now() + 700)
    sinks[9_000]?.fail(new Error('timeout'))
    expect(readiness.report().reasons).toEqual([
      `io.l5d.consul: of 10000 names 5999 are stale, the oldest answer 300 ms ago; 3001 have never answered, failing for up to 300 ms; 999 have not answered yet, waiting for up to 300 ms: no leader, next try in 700 ms`,
    ])
  })

  it('is given while a snapshot answers for the store, whatever the store says, and tells of both', () => {
    let served: ServedSnapshot | undefined
    const { readiness, clock, kernel } = begin(
      k =>
        k.source(
          'etcd namespaces',
          (sink: Sink<never>) => {
            sink.fail(new Error('connection refused'), new FakeClock().now() + 2_700)
            return () => {}
          },
          { group: storageGroup },
        ),
      () => served,
    )
    kernel.source('etcd dtab default', () => () => {}, { group: storageGroup }).watch(() => {})
    clock.advance(2_000)
    expect(readiness.report().ready).toBe(false)
    served = { store: 'etcd', since: clock.now() - 1_000, savedAt: clock.now() - 60_000 }
    expect(readiness.report()).toEqual({
      ready: true,
      reasons: [
        'the store etcd is away since 2023-11-14T22:13:21.000Z; serving the local snapshot of 2023-11-14T22:12:22.000Z: connection refused, next try in 700 ms',
      ],
    })
  })

  it('waits for other sources though a snapshot answers for the store', () => {
    const { readiness } = begin(
      kernel => kernel.source('consul dc1/web', () => () => {}, { group: '/#/io.l5d.consul' }),
      () => ({ store: 'etcd', since: 0, savedAt: 0 }),
    )
    expect(readiness.report().ready).toBe(false)
  })

  it('ends when the server begins to stop', () => {
    const { readiness, stopping } = begin()
    stopping.abort()
    expect(readiness.report()).toEqual({ ready: false, reasons: ['the server is stopping'] })
  })
})
