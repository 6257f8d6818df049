import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { RecentRequests } from '../../../proxy-client/telemetry/recent-requests.ts'
import type { RequestRecord } from '../../../proxy-client/telemetry/stats.ts'
import { seededRandom } from '../seeded-random.fixture.ts'
import { createTestMeter, recordWith } from './meter.fixture.ts'

function recentWith(sampleRate: number, capacity = 10): RecentRequests {
  return new RecentRequests({ kind: 'io.l5d.recentRequests', sampleRate, capacity }, seededRandom(1))
}

describe('recent requests', () => {
  it('are as many as the capacity, the newest first', () => {
    const recent = recentWith(1, 3)
    for (const target of ['/1', '/2', '/3', '/4', '/5']) recent.add('http', recordWith({ target }))
    expect(recent.list().map(({ target, router }) => [target, router])).toEqual([
      ['/5', 'http'],
      ['/4', 'http'],
      ['/3', 'http'],
    ])
  })

  it('hold little of a long text', () => {
    const recent = recentWith(1)
    const long = 'x'.repeat(8_000)
    recent.add('http', recordWith({ target: long, host: long, method: long, userAgent: long, referer: long }))
    expect(JSON.stringify(recent.list()).length).toBeLessThan(3_000)
  })

  it('keep nothing of the heads that their texts are parts of', () => {
    setFlagsFromString('--expose-gc')
    const collect: () => void = runInNewContext('globalThis.gc')
    const recent = recentWith(1, 100)
    const used = (): number => {
      collect()
      return process.memoryUsage().heapUsed
    }
    const before = used()
    for (let i = 0; i < 100; i++) {
      const head = Buffer.alloc(500_000, 'x').toString('latin1')
      recent.add('http', recordWith({ target: head.slice(10, 60), host: head.slice(60, 100) }))
    }
    expect(used() - before).toBeLessThan(5_000_000)
    expect(recent.list()).toHaveLength(100)
  })

  it('are drawn at the sample rate, with an access log and without', () => {
    for (const accessLog of [undefined, { write: (_record: RequestRecord) => {}, dropped: 0 }]) {
      const recent = recentWith(0.1, 10_000)
      const { meter } = createTestMeter({ recent, ...(accessLog && { accessLog }) })
      for (let i = 0; i < 2_000; i++) if (meter.wantsRecords) meter.record(recordWith())
      expect(recent.list().length).toBeGreaterThan(150)
      expect(recent.list().length).toBeLessThan(250)
    }
  })

  it('are not asked for when nobody keeps any', () => {
    expect(createTestMeter().meter.wantsRecords).toBe(false)
    expect(createTestMeter({ recent: recentWith(0) }).meter.wantsRecords).toBe(false)
  })

  it('are all given to the access log', () => {
    const written: string[] = []
    const accessLog = { write: ({ target }: RequestRecord) => void written.push(target), dropped: 0 }
    const { meter } = createTestMeter({ accessLog, recent: recentWith(0) })
    expect(meter.wantsRecords).toBe(true)
    meter.record(recordWith({ target: '/a' }))
    expect(written).toEqual(['/a'])
  })
})
