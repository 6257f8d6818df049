import { expect, it } from 'vitest'
import { Minutes } from '../../../proxy-client/telemetry/minutes.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

/** 20 s after a full minute. */
const start = 1_700_000_000_000

it('ends with the minutes of the wall clock, so that processes of different age tell of the same time', () => {
  const clock = new FakeClock(start)
  const old = new Minutes(clock)
  clock.advance(25_000)
  const young = new Minutes(clock)
  expect([old.recentMs, young.recentMs]).toEqual([25_000, 0])
  clock.advance(15_000)
  expect([old.now, young.now]).toEqual([1, 0])
  clock.advance(61_000)
  expect([old.now, young.now]).toEqual([2, 1])
  expect([old.recentMs, young.recentMs]).toEqual([61_000, 76_000])
  clock.advance(60_000)
  expect([old.recentMs, young.recentMs]).toEqual([61_000, 61_000])
})

it('makes no short minute of a timer that comes early, and ends with its closing', () => {
  const clock = new FakeClock(start)
  const minutes = new Minutes({ ...clock, after: (ms, run) => clock.after(ms - 1, run) })
  clock.advance(39_999)
  expect(minutes.now).toBe(1)
  clock.advance(1)
  expect(minutes.now).toBe(1)
  clock.advance(59_998)
  expect(minutes.now).toBe(1)
  minutes.close()
  expect(clock.waiting).toBe(0)
})
