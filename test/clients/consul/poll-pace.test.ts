// The token bucket of one query.
import { expect, it } from 'vitest'
import { IdleAnswers, PollPace } from '../../../clients/consul/poll-pace.ts'
import { FakeClock } from '../../fakes/clock.fake.ts'

/** Requests within so long of a query that is asked as soon as it may be. */
function ask(clock: FakeClock, paces: readonly PollPace[], ms: number, isIdle: boolean): number {
  let sent = 0
  for (let step = 0; step < ms; step += 10) {
    for (const pace of paces) {
      for (; pace.delayMs() === 0; sent++) {
        pace.sent()
        pace.answered(isIdle)
      }
    }
    clock.advance(10)
  }
  return sent
}

it('lets two requests go at once, then one each 250 ms, and is full again after a pause', () => {
  const clock = new FakeClock()
  const pace = new PollPace(clock, new IdleAnswers())
  expect(ask(clock, [pace], 10, false)).toBe(2)
  expect(ask(clock, [pace], 10_000, false)).toBe(40)
  clock.advance(1000)
  expect(ask(clock, [pace], 10, false)).toBe(2)
})

it('lets all idle queries together ask 200 times a second, and one alone no less often for the number of its answers', () => {
  const clock = new FakeClock()
  const idle = new IdleAnswers()
  const paces = Array.from({ length: 500 }, () => new PollPace(clock, idle))
  ask(clock, paces, 10_000, true)
  expect([idle.count, idle.spacingMs]).toEqual([500, 2500])
  expect(ask(clock, paces, 10_000, true)).toBeLessThanOrEqual(2000)
  for (const pace of paces.slice(1)) pace.close()
  expect([idle.count, idle.spacingMs]).toEqual([1, 250])
  expect(ask(clock, paces.slice(0, 1), 60_000, true)).toBeGreaterThanOrEqual(230)
})

it('asks faster while answers bring news, at four times the work that they make, and no faster than once in 20 ms', () => {
  const clock = new FakeClock()
  const pace = new PollPace(clock, new IdleAnswers(100, 20))
  const askWith = (workMs: number | undefined): number => {
    let before = 0
    for (let sent = 0; sent < 23; clock.advance(1)) {
      if (pace.delayMs() > 0) continue
      if (++sent === 3) before = clock.now()
      pace.sent()
      pace.answered(workMs === undefined)
      if (workMs !== undefined) pace.tookIn(workMs)
    }
    return Math.round((clock.now() - before) / 20)
  }
  expect([0, 8, 1000, undefined].map(askWith)).toEqual([20, 32, 100, 100])
})
