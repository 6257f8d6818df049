import { describe, expect, test } from 'vitest'
import { BusyShare } from '../../../api/push/busy-share.ts'

/** The share at the end of `ms`, of which in each ten so many were busy. */
function shareAfter(ms: number, busyOfTen: number): number {
  const share = new BusyShare()
  for (let at = 0; at < ms; at += 10) {
    share.turn(true, at)
    share.turn(false, at + busyOfTen)
  }
  return share.at(ms)
}

describe('the busy share of a thread', () => {
  test('comes to what is spent, whatever the pieces', () => {
    expect(shareAfter(5_000, 0)).toBe(0)
    expect(shareAfter(5_000, 3)).toBeCloseTo(0.3, 1)
    expect(shareAfter(5_000, 9)).toBeCloseTo(0.9, 1)
  })

  test('forgets within about a second, and learns as fast', () => {
    const share = new BusyShare()
    share.turn(true, 0)
    expect(share.at(100)).toBeLessThan(0.2)
    expect(share.at(1_500)).toBeGreaterThan(0.9)
    share.turn(false, 1_500)
    expect(share.at(3_000)).toBeLessThan(0.1)
  })
})
