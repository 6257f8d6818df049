import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bucketMiddle,
  bucketOf,
  bucketStart,
  coarseBounds,
  latencyBuckets,
} from '../../../proxy-client/telemetry/latency-buckets.ts'
import {
  cumulativeCounts,
  quantileMs,
  recentCount,
  totalCount,
} from '../../../proxy-client/telemetry/latency-figures.ts'
import { LatencyHistogram } from '../../../proxy-client/telemetry/latency-histogram.ts'
import { Minutes } from '../../../proxy-client/telemetry/minutes.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

const latency = fc.double({ min: -2, max: 5.99, noNaN: true }).map(power => 10 ** power)

function createHistogram() {
  const clock = new FakeClock()
  return { clock, histogram: new LatencyHistogram(new Minutes(clock)) }
}

describe('a latency bucket', () => {
  it('stands for its latencies with an error of at most 5 %', () => {
    fc.assert(
      fc.property(latency, ms => Math.abs(bucketMiddle(bucketOf(ms)) - ms) <= ms * 0.0501),
      { seed: 1, numRuns: 1_000 },
    )
  })

  it('follows the one before without a gap, in order', () => {
    for (let bucket = 1; bucket < latencyBuckets; bucket++) {
      expect(bucketStart(bucket)).toBeGreaterThan(bucketStart(bucket - 1))
      expect(bucketOf(bucketStart(bucket) * 1.000001)).toBe(bucket)
      expect(bucketOf(bucketStart(bucket) * 0.999999)).toBe(bucket - 1)
    }
  })

  it('begins at each bound of the Prometheus histograms, so that these are exact', () => {
    const starts = Array.from({ length: latencyBuckets }, (_, bucket) => Number(bucketStart(bucket).toPrecision(12)))
    for (const bound of coarseBounds) expect(starts).toContain(bound)
  })

  it.each([Number.NaN, -1, 0, Number.POSITIVE_INFINITY, 1e300])('takes %s too', ms => {
    const bucket = bucketOf(ms)
    expect(bucket >= 0 && bucket < latencyBuckets).toBe(true)
  })
})

describe('a latency histogram', () => {
  it('gives quantiles within 5 % of the exact ones', () => {
    fc.assert(
      fc.property(
        fc.array(latency, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0.01, max: 0.999, noNaN: true }),
        (all, share) => {
          const { histogram } = createHistogram()
          for (const ms of all) histogram.record(ms, 0)
          const sorted = all.toSorted((a, b) => a - b)
          const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
          const found = quantileMs(histogram.snapshot(), share) ?? 0
          return Math.abs(found - exact) <= exact * 0.0501
        },
      ),
      { seed: 2, numRuns: 300 },
    )
  })

  it('knows this minute and the last for quantiles, and counts for good', () => {
    const { clock, histogram } = createHistogram()
    histogram.record(3, 0)
    clock.advance(60_000)
    histogram.record(700, 1)
    const both = histogram.snapshot()
    expect([recentCount(both), both.recentMaxMs, both.recentSuccesses, both.recentFailures]).toEqual([2, 700, 1, 1])
    clock.advance(60_000)
    const later = histogram.snapshot()
    expect([recentCount(later), later.recentMaxMs, later.recentSumMs]).toEqual([1, 700, 700])
    clock.advance(60_000)
    const empty = histogram.snapshot()
    expect([recentCount(empty), quantileMs(empty, 0.5), empty.recentMaxMs]).toEqual([0, undefined, 0])
    expect([totalCount(empty), empty.sumMs]).toEqual([2, 703])
    expect(cumulativeCounts(empty, [5, 500, 1_000])).toEqual([1, 1, 2])
  })

  it('forgets a last minute that is long ago, when nothing came meanwhile', () => {
    const { clock, histogram } = createHistogram()
    histogram.record(3, 0)
    clock.advance(10 * 60_000)
    histogram.record(9, 0)
    expect(recentCount(histogram.snapshot())).toBe(1)
    expect(totalCount(histogram.snapshot())).toBe(2)
  })

  it('never lets a total go back, whenever it is read', () => {
    const step = fc.oneof(latency, fc.constant('minute' as const), fc.constant('read' as const))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const { clock, histogram } = createHistogram()
        let before = 0
        let recorded = 0
        for (const each of steps) {
          if (each === 'minute') clock.advance(60_000)
          else if (each === 'read') {
            const now = totalCount(histogram.snapshot())
            if (now < before || now !== recorded) return false
            before = now
          } else {
            histogram.record(each, 0)
            recorded++
          }
        }
        return true
      }),
      { seed: 3, numRuns: 200 },
    )
  })
})
